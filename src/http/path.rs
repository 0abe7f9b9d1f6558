//! Request targets (RFC 3986 section 6.2.2, RFC 9112 section 3.2).

/// A target that names nothing here: broken percent-encoding, a zero byte, or bytes that are not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request's path cannot be read")]
pub struct BadPath;

/// The path of a target without leading slash: decoded once, repeated slashes folded (shim asks for `//grubx64.efi`),
/// dot segments resolved without ever leaving the root. The query is left out.
pub fn normalise(path: &str) -> Result<String, BadPath> {
    Ok(fold(&decode(path)?))
}

/// A path without leading and repeated slashes and without dot segments.
pub fn fold(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            name => segments.push(name),
        }
    }
    segments.join("/")
}

/// One value of a query, decoded; `None` where it is absent or empty.
pub fn query_value(query: Option<&str>, name: &str) -> Option<String> {
    let pair = |part: &str| part.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    let (_, value) = query?.split('&').filter_map(pair).find(|(found, _)| found == name)?;
    decode(&value).ok().filter(|value| !value.is_empty())
}

fn decode(text: &str) -> Result<String, BadPath> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = if byte == b'%' { hex(rest.next())? * 16 + hex(rest.next())? } else { byte };
        if byte == 0 {
            return Err(BadPath);
        }
        bytes.push(byte);
    }
    String::from_utf8(bytes).map_err(|_| BadPath)
}

fn hex(digit: Option<u8>) -> Result<u8, BadPath> {
    let value = char::from(digit.ok_or(BadPath)?).to_digit(16).ok_or(BadPath)?;
    u8::try_from(value).map_err(|_| BadPath)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded_once_and_stay_below_the_root() {
        let cases = [
            ("/boot.ipxe", Ok("boot.ipxe")),
            ("//grubx64.efi", Ok("grubx64.efi")),
            ("/a//b///c", Ok("a/b/c")),
            ("/a/./b/../c", Ok("a/c")),
            ("/../../etc/passwd", Ok("etc/passwd")),
            ("/%2e%2e/%2E%2E/x", Ok("x")),
            ("/a%20b+c", Ok("a b+c")),
            ("/a%2520b", Ok("a%20b")),
            ("/a%2fb", Ok("a/b")),
            ("/", Ok("")),
            ("/%", Err(BadPath)),
            ("/%4", Err(BadPath)),
            ("/%zz", Err(BadPath)),
            ("/a%00b", Err(BadPath)),
            ("/%ff", Err(BadPath)),
        ];
        for (path, expected) in cases {
            assert_eq!(normalise(path).as_deref(), expected.as_ref().copied(), "{path}");
        }
    }

    #[test]
    fn query_values_are_found() {
        let query = Some("mac=52-54-00-77-01-01&uuid=&x=a%20b");
        assert_eq!(query_value(query, "mac").as_deref(), Some("52-54-00-77-01-01"));
        assert_eq!(query_value(query, "x").as_deref(), Some("a b"));
        assert_eq!(query_value(query, "uuid"), None);
        assert_eq!(query_value(None, "mac"), None);
    }
}
