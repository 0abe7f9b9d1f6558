//! A script while it is made.

/// Lines with their depth.
#[derive(Default)]
pub(super) struct Script {
    pub(super) text: String,
    depth: usize,
}

impl Script {
    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(&"  ".repeat(self.depth));
        self.text.push_str(line);
        self.text.push('\n');
    }

    pub(super) fn open(&mut self, line: &str) {
        self.line(line);
        self.depth += 1;
    }

    pub(super) fn close(&mut self, line: &str) {
        self.depth = self.depth.saturating_sub(1);
        self.line(line);
    }

    pub(super) fn close_and_open(&mut self, line: &str) {
        self.close(line);
        self.depth += 1;
    }
}
