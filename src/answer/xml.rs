//! What AutoYaST profiles and answer files of Windows have in common: both are XML.

use std::ops::Range;

use roxmltree::{Document, Node, ParsingOptions};

use super::Fault;
use super::preview::speaks_of_secrets;
use crate::text;

/// Most elements, attributes and texts.
const MAX_NODES: u32 = 200_000;
/// How deep elements may be in each other. Known here because the reader and what walks over its tree do not bound it.
const MAX_DEPTH: usize = 100;

/// Reads a document. Entities of its own are bounded by the reader, and there are none outside of it.
pub(super) fn parse(source: &str) -> Result<Document<'_>, Fault> {
    if depth(source) > MAX_DEPTH {
        return Err(Fault::error(None, "Elements are in each other 100 deep.", "Check that it is the right file."));
    }
    // AutoYaST's editor writes `<!DOCTYPE profile>`.
    let options = ParsingOptions { allow_dtd: true, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    Document::parse_with_options(source, options).map_err(|error| {
        let line = usize::try_from(error.pos().row).ok();
        // The position is a field of its own already.
        let cause = error.to_string();
        let cause = cause.rsplit_once(" at ").map_or(cause.as_str(), |(cause, _)| cause);
        // It may repeat what stands there: an ampersand in a password begins an unknown entity.
        let there = line.and_then(|line| source.lines().nth(line.saturating_sub(1))).unwrap_or_default();
        let what = match speaks_of_secrets(there) {
            true => "It is no XML.".to_owned(),
            false => format!("It is no XML: {}.", text::plain(cause, 200)),
        };
        Fault::error(line, what, "Check the tags, quotes and ampersands of this line and the one before.")
    })
}

/// How deep opened elements are in each other at most; a rough count that is never too small.
fn depth(source: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    for tag in source.split('<').skip(1) {
        match tag.bytes().next() {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(b'!' | b'?') | None => {}
            Some(_) => {
                let inside = tag.split('>').next().unwrap_or(tag);
                depth += usize::from(!inside.ends_with('/'));
                deepest = deepest.max(depth);
            }
        }
    }
    deepest
}

/// What the declaration says that is not so: every answer file is UTF-8 when it is sent.
pub(super) fn encoding(source: &str) -> Option<Fault> {
    let declaration = source.trim_start().strip_prefix("<?xml")?.split("?>").next()?;
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let name = value.get(1..)?.split(quote).next()?;
    if ["utf-8", "utf8", "us-ascii"].iter().any(|known| name.eq_ignore_ascii_case(known)) {
        return None;
    }
    let what = format!("The file says that it is {}, and it is sent as UTF-8.", text::plain(name, 30));
    Some(Fault::error(1, what, "Write encoding=\"utf-8\" in its first line."))
}

pub(super) fn line(node: Node<'_, '_>) -> usize {
    usize::try_from(node.document().text_pos_at(node.range().start).row).unwrap_or(usize::MAX)
}

/// The child element of a name.
pub(super) fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.tag_name().name() == name)
}

/// Where passwords and keys stand, in bytes: the texts of elements whose name speaks of them.
pub(super) fn secrets(source: &str) -> Vec<Range<usize>> {
    let Ok(document) = parse(source) else { return secrets_of_broken(source) };
    let mut found = Vec::new();
    for element in document.descendants().filter(Node::is_element) {
        let secret = element.attributes().filter(|attribute| is_secret(attribute.name()));
        found.extend(secret.map(|attribute| attribute.range_value()));
        if is_secret(element.tag_name().name()) {
            let texts = element.descendants().filter(|node| node.is_text() && node.text().is_some_and(is_value));
            found.extend(texts.map(|text| text.range()));
        }
    }
    found
}

/// `pass` is a step of Windows Setup.
fn is_secret(name: &str) -> bool {
    name != "pass" && speaks_of_secrets(name)
}

/// Beside a key stands whether Setup asks for it.
fn is_value(text: &str) -> bool {
    !matches!(text.trim(), "" | "true" | "false" | "Always" | "OnError" | "Never")
}

/// The same where the source is no XML: the texts between a tag whose name speaks of secrets and the one that closes it,
/// or the end.
fn secrets_of_broken(source: &str) -> Vec<Range<usize>> {
    let (mut found, mut at) = (Vec::new(), 0);
    let mut open: Option<&str> = None;
    for part in source.split_inclusive('<') {
        let (tag, text) = part.split_once('>').unwrap_or((part, ""));
        let name = tag.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
        match open {
            Some(name) if tag.strip_prefix('/').is_some_and(|closed| closed.trim_end() == name) => open = None,
            None if is_secret(name) && !tag.ends_with('/') => open = Some(name),
            _ => {}
        }
        let text = text.strip_suffix('<').unwrap_or(text);
        if open.is_some() && is_value(text) {
            let start = at + tag.len() + 1 + (text.len() - text.trim_start().len());
            found.push(start..start + text.trim().len());
        }
        at += part.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_have_their_line() {
        let cases = [
            ("<a>\n<b>\n</a>\n", Some(3)),
            ("<a>\n  x & y\n</a>", Some(2)),
            ("<a x=1/>", Some(1)),
            ("<a><b/>\n<c/></a>", None),
            ("<?xml version=\"1.0\"?>\n<!DOCTYPE profile>\n<profile/>", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).err().and_then(|fault| fault.line), expected, "{text}");
        }
        let told = parse("<a>\n<Password>x&hunter2;</Password></a>").unwrap_err();
        assert!(told.line == Some(2) && !told.what.contains("hunter2"), "{told:?}");
        let deep = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(parse(&deep(MAX_DEPTH)).is_ok() && parse(&deep(MAX_DEPTH + 1)).is_err());
        let bomb = "<!DOCTYPE a [<!ENTITY a 'xx'><!ENTITY b '&a;&a;'><!ENTITY c '&b;&b;&c;'>]><a>&c;</a>";
        assert!(parse(bomb).is_err());
    }

    #[test]
    fn a_declaration_that_is_not_so_is_told() {
        let cases = [
            ("<?xml version=\"1.0\" encoding=\"utf-8\"?>", false),
            ("<?xml version='1.0' encoding = 'UTF-16'?>", true),
            ("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>", true),
            ("<?xml version=\"1.0\"?><a encoding=\"x\"/>", false),
            ("<a/>", false),
        ];
        for (text, expected) in cases {
            assert_eq!(encoding(text).is_some(), expected, "{text}");
        }
    }
}
