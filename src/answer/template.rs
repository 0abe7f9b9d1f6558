//! Templates: variables put into a text, by Jinja's rules.
//!
//! `{{ hostname }}` becomes the host name. A variable without a value is an error and never empty text, for an installer
//! would go on with it. A file without `{{` and `{%` is taken as it is, so that a script with `${#name}`, which begins a
//! comment in Jinja, stays one.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, OutputSpan, OutputSpanKind, UndefinedBehavior};

use super::fault::{Fault, instead};
use super::preview;
use crate::text;

/// Most bytes of a template, and of a filled-in one.
pub const MAX_SIZE: usize = 1 << 20;
/// What filling in one template may cost: an instruction, or 64 bytes of text, costs 1. So 16 MiB at most, and a second.
const FUEL: u64 = 1 << 18;
/// How deep macros may call each other.
const MAX_DEPTH: usize = 50;
/// Most digits that `pad` makes.
const MAX_PAD: usize = 32;
/// Longest piece of a template that a sentence repeats, in characters.
const MAX_SHOWN: usize = 60;

/// What a template may name, and why some of it has no value.
#[derive(Clone, Default)]
pub struct Variables {
    values: BTreeMap<String, Value>,
    absent: BTreeMap<String, String>,
}

impl Variables {
    /// Gives a variable its value; an empty text is none.
    pub fn set(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.absent.remove(name);
            self.values.insert(name.to_owned(), Value::from(value));
        }
    }

    /// Gives a variable a number.
    pub fn set_number(&mut self, name: &str, number: u32) {
        self.absent.remove(name);
        self.values.insert(name.to_owned(), Value::from(number));
    }

    /// Says why a variable has no value, as a sentence, unless it has one.
    pub fn miss(&mut self, name: &str, why: impl Into<String>) {
        if !self.values.contains_key(name) {
            self.absent.insert(name.to_owned(), why.into());
        }
    }

    /// The names of all variables that have a value.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

// Values may be passwords.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// A template filled in.
pub struct Filled {
    /// The text.
    pub text: String,
    /// Line of the template for each line of the text.
    lines: Vec<usize>,
    /// What variables wrote whose names speak of secrets, in bytes of the text.
    pub(super) secrets: Vec<Range<usize>>,
}

impl Filled {
    /// The template's line that a line of the text comes from; 1 is the first of both.
    pub fn line(&self, of_text: usize) -> usize {
        let line = of_text.checked_sub(1).and_then(|at| self.lines.get(at)).or(self.lines.last());
        line.copied().unwrap_or(of_text)
    }

    fn untouched(template: &str) -> Filled {
        let lines = (1..=template.lines().count()).collect();
        Filled { text: template.to_owned(), lines, secrets: Vec::new() }
    }
}

impl fmt::Debug for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filled").field("bytes", &self.text.len()).finish_non_exhaustive()
    }
}

/// Whether a text has anything to be filled in.
pub fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// Whether a template names a variable. One that cannot be read names none.
pub fn names(template: &str, variable: &str) -> bool {
    is_template(template)
        && environment().template_from_str(template).is_ok_and(|parsed| {
            let names = parsed.undeclared_variables(false);
            names.contains(variable)
        })
}

/// Fills a template in. The fault says what hinders it, with the template's line.
pub fn fill(template: &str, variables: &Variables) -> Result<Filled, Fault> {
    if template.len() > MAX_SIZE {
        return Err(too_large("The file"));
    }
    if !is_template(template) {
        return Ok(Filled::untouched(template));
    }
    let environment = environment();
    let explain = |error: Error| explain(&error, template, variables);
    let parsed = environment.template_from_str(template).map_err(explain)?;
    let (text, spans) = parsed.render_with_spans(Value::from_pairs(variables.values.clone())).map_err(explain)?;
    if text.len() > MAX_SIZE {
        return Err(too_large("The filled-in file"));
    }
    let lines = lines(template, &text, &spans);
    let is_secret = |span: &&OutputSpan| {
        span.kind() == OutputSpanKind::Expression
            && template.get(span.source_range()).is_some_and(|source| words(source).any(preview::speaks_of_secrets))
    };
    let secrets = spans.iter().filter(is_secret).map(OutputSpan::output_range).collect();
    Ok(Filled { text, lines, secrets })
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_syntax(SyntaxConfig::builder().keep_trailing_newline(true).build().unwrap_or_default());
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(MAX_DEPTH);
    // Errors then know where they are. They know values as well, so no error of the crate leaves this file.
    environment.set_debug(true);
    environment.add_filter("shell_quote", |value: String| shell_quoted(&value));
    environment.add_filter("yaml", |value: String| yaml_quoted(&value));
    environment.add_filter("xml", |value: String| xml_escaped(&value));
    environment.add_filter("pad", pad);
    environment
}

/// A word of a POSIX shell.
fn shell_quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// A double-quoted scalar (YAML 1.2, 7.3.1).
fn yaml_quoted(value: &str) -> String {
    let mut quoted = String::from("\"");
    for character in value.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            // What YAML takes for a line end, and what is no printable character to it.
            control if control.is_control() || matches!(control, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Text or an attribute's value. Characters that XML does not have are left out.
fn xml_escaped(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\n' | '\t' | '\r' => escaped.push(character),
            control if control.is_control() => {}
            other => escaped.push(other),
        }
    }
    escaped
}

/// Zeros before a number: `{{ counter | pad(3) }}`.
fn pad(value: Value, digits: usize) -> Result<String, Error> {
    if digits > MAX_PAD {
        return Err(Error::new(ErrorKind::InvalidOperation, "too many digits"));
    }
    Ok(format!("{:0>digits$}", value.to_string()))
}

/// The template's line for each line of the text: where its first character came from.
fn lines(template: &str, text: &str, spans: &[OutputSpan]) -> Vec<usize> {
    let ends: Vec<usize> = template.match_indices('\n').map(|(at, _)| at).collect();
    let mut spans = spans.iter().peekable();
    let mut lines = Vec::new();
    let (mut at, mut line) = (0, 1);
    for part in text.split_inclusive('\n') {
        while spans.next_if(|span| span.output_range().end <= at).is_some() {}
        if let Some(span) = spans.peek() {
            // A piece of the template is in the text byte by byte; what a variable wrote stands at its name.
            let is_raw = span.kind() == OutputSpanKind::Raw;
            let inside = if is_raw { at.saturating_sub(span.output_range().start) } else { 0 };
            let origin = span.source_range().start.saturating_add(inside);
            line = ends.partition_point(|&end| end < origin) + 1;
        }
        lines.push(line);
        at += part.len();
    }
    lines
}

fn too_large(what: &str) -> Fault {
    Fault::error(
        None,
        format!("{what} has more than 1 MiB."),
        "Let the installation fetch what is large from elsewhere.",
    )
}

/// Names in an expression.
fn words(source: &str) -> impl Iterator<Item = &str> {
    source.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// What the crate says, in our words. Its details may hold values, so they are repeated for mistakes in writing alone.
fn explain(error: &Error, template: &str, variables: &Variables) -> Fault {
    let source = error.range().and_then(|range| template.get(range)).unwrap_or_default();
    let shown = text::plain(source, MAX_SHOWN);
    let line = error.line();
    let fault = |what: String, next_step: &str| Fault::error(line, what, next_step);
    if let Some(name) = undefined_name(error) {
        return undefined(line, name, variables);
    }
    match error.kind() {
        ErrorKind::UndefinedError => undefined(line, source, variables),
        ErrorKind::SyntaxError => fault(
            format!("The template has a mistake: {}.", text::plain(error.detail().unwrap_or("it ends too early"), 200)),
            "Correct it; write {% raw %} before and {% endraw %} behind what is no template.",
        ),
        ErrorKind::UnknownFilter => fault(
            format!("`{shown}` uses a filter that there is not."),
            "There are shell_quote, yaml, xml and pad, and Jinja's own.",
        ),
        ErrorKind::UnknownFunction | ErrorKind::UnknownTest | ErrorKind::UnknownMethod => {
            fault(format!("`{shown}` uses something that there is not."), "Use what Jinja has.")
        }
        ErrorKind::OutOfFuel => {
            fault("The template takes too long to fill in, or makes too much of it.".into(), "Make its loops shorter.")
        }
        _ => fault(
            format!("`{shown}` cannot be worked out."),
            "Check what it is made of: all variables but counter are text.",
        ),
    }
}

/// The name of the variable that has no value, where that is what hinders. The crate says "`name` is undefined" among its
/// details, for every kind of error.
fn undefined_name(error: &Error) -> Option<&str> {
    let before = error
        .detail()?
        .split("` is undefined")
        .next()
        .filter(|before| Some(before.len()) != error.detail().map(str::len));
    before?.rsplit('`').next()
}

/// A variable that has no value: one that there is for others, or one that there never is.
fn undefined(line: Option<usize>, source: &str, variables: &Variables) -> Fault {
    let unknown = |word: &&str| !variables.values.contains_key(*word);
    let absent = words(source).find_map(|word| Some((word, variables.absent.get(word)?)));
    if let Some((word, why)) = absent {
        let next_step = format!("Give it one, or write `{{{{ {word} | default(\"…\") }}}}`.");
        return Fault::error(line, format!("`{word}` has no value for this computer: {why}"), next_step);
    }
    let word = text::plain(words(source).find(unknown).unwrap_or(source), MAX_SHOWN);
    let known: Vec<&str> = variables.names().chain(variables.absent.keys().map(String::as_str)).collect();
    let mut list = known.clone();
    list.sort_unstable();
    let near = instead(&word, known);
    let near = if near.starts_with("Did") { format!("{near} ") } else { String::new() };
    Fault::error(line, format!("`{word}` is not known."), format!("{near}There are {}.", list.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        let mut variables = Variables::default();
        for (name, value) in
            [("hostname", "lab-07"), ("admin_password", "it's <&> \"x\""), ("mac", "52:54:00:00:00:01")]
        {
            variables.set(name, value);
        }
        variables.set_number("counter", 7);
        variables.miss("serial", "it has not told one.");
        variables
    }

    fn filled(template: &str) -> String {
        fill(template, &variables()).map(|filled| filled.text).unwrap_or_else(|fault| panic!("{template}: {fault:?}"))
    }

    fn fault(template: &str) -> Fault {
        fill(template, &variables()).err().unwrap_or_else(|| panic!("{template}"))
    }

    #[test]
    fn variables_and_filters_are_filled_in() {
        let cases = [
            ("name {{ hostname }}\n", "name lab-07\n"),
            ("{{ counter | pad(3) }}/{{ counter + 1 }}", "007/8"),
            ("{{ admin_password | shell_quote }}", r#"'it'\''s <&> "x"'"#),
            ("{{ admin_password | yaml }}", r#""it's <&> \"x\"""#),
            ("{{ admin_password | xml }}", "it&apos;s &lt;&amp;&gt; &quot;x&quot;"),
            ("{{ admin_password }}", "it's <&> \"x\""),
            ("{{ serial | default('none') }}", "none"),
            ("{% if serial is defined %}a{% else %}b{% endif %}", "b"),
            ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
            ("n=${#list[@]} # stays {#", "n=${#list[@]} # stays {#"),
            ("{{ 'a\nb\u{7}' | yaml }}", r#""a\nb\u0007""#),
        ];
        for (template, expected) in cases {
            assert_eq!(filled(template), expected, "{template}");
        }
    }

    #[test]
    fn what_hinders_is_said_with_its_line() {
        let cases = [
            (
                "a\n{{ hostnam }}",
                2,
                "`hostnam` is not known.",
                "Did you mean `hostname`? There are admin_password, counter, hostname, mac, serial.",
            ),
            ("{{ rooom }}", 1, "`rooom` is not known.", "There are admin_password, counter, hostname, mac, serial."),
            (
                "\n\n{{ serial | upper }}",
                3,
                "`serial` has no value for this computer: it has not told one.",
                "Give it one, or write `{{ serial | default(\"…\") }}`.",
            ),
            (
                "{% if room %}x{% endif %}",
                1,
                "`room` is not known.",
                "There are admin_password, counter, hostname, mac, serial.",
            ),
            (
                "x\n{{ hostname | uper }}",
                2,
                "`uper` uses a filter that there is not.",
                "There are shell_quote, yaml, xml and pad, and Jinja's own.",
            ),
            ("{{ hostname", 1, "The template has a mistake: ", "Correct it"),
            ("{% include 'x' %}", 1, "The template has a mistake: ", "Correct it"),
            ("{{ 1 + admin_password }}", 1, "`1 + admin_password` cannot be worked out.", "Check"),
            ("{{ counter | pad(99) }}", 1, "`pad(99)` cannot be worked out.", "Check"),
        ];
        for (template, line, what, next_step) in cases {
            let fault = fault(template);
            assert_eq!(fault.line, Some(line), "{template}: {fault:?}");
            assert!(fault.what.starts_with(what) && fault.next_step.starts_with(next_step), "{template}: {fault:?}");
        }
    }

    #[test]
    fn a_template_cannot_run_away() {
        let loops = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        let grows = "{% set a = 'x' * 99999 %}{% set b = a * 99999 %}{{ b }}";
        let deep = "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}";
        for template in [loops, grows, deep] {
            assert_eq!(fault(template).line, Some(1), "{template}");
        }
        let large = "{{ 'x' * 1048577 }}";
        assert!(fault(large).what.contains("1 MiB"), "{:?}", fault(large));
        assert_eq!(filled("{{ 'x' * 1048576 }}").len(), MAX_SIZE);
        assert!(fault(&"x".repeat(MAX_SIZE + 1)).what.starts_with("The file has"));
    }

    #[test]
    fn lines_of_the_text_are_lines_of_the_template() {
        let template =
            "one\n{# a\ncomment #}four\n{% for a in [1, 2] %}\nfive {{ a }}\n{%- endfor %}\n{{ 'x\ny' }}\nlast\n";
        let template = template.replace("five", "six");
        let filled = fill(&template, &variables()).unwrap();
        let seen: Vec<_> = filled.text.lines().enumerate().map(|(at, line)| (line, filled.line(at + 1))).collect();
        let expected = [("one", 1), ("four", 3), ("", 4), ("six 1", 5), ("six 2", 5), ("x", 7), ("y", 7), ("last", 9)];
        assert_eq!(seen, expected);
        let untouched = fill("a\nb\n", &variables()).unwrap();
        assert_eq!((untouched.line(1), untouched.line(2), untouched.line(9)), (1, 2, 2));
    }

    #[test]
    fn what_a_secret_variable_wrote_is_known_and_not_shown() {
        let filled = fill("a {{ hostname }} {{ admin_password | shell_quote }}", &variables()).unwrap();
        let secrets: Vec<_> = filled.secrets.iter().map(|range| &filled.text[range.clone()]).collect();
        assert_eq!(secrets, [r#"'it'\''s <&> "x"'"#]);
        let shown = format!("{filled:?} {:?}", variables());
        assert!(!shown.contains("it's") && !shown.contains("lab-07"), "{shown}");
    }

    #[test]
    fn names_are_found_without_filling_in() {
        for (template, expected) in
            [("{{ counter }}", true), ("{% if counter > 3 %}{% endif %}", true), ("counter", false), ("{{ x", false)]
        {
            assert_eq!(names(template, "counter"), expected, "{template}");
        }
    }
}
