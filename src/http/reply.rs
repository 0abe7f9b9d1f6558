//! Status and headers of an answer, and which bytes follow.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode, Version};

use super::range::{self, Part};

/// What is known of a file that can be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Its size in bytes.
    pub size: u64,
    /// A strong entity tag, with its quotes.
    pub etag: String,
    /// When it was last changed, where that is known.
    pub modified: Option<SystemTime>,
    /// Its media type.
    pub content_type: &'static str,
}

/// An answer without its body.
#[derive(Debug)]
pub struct Head {
    /// The status.
    pub status: StatusCode,
    /// Its headers; `Date` comes from hyper.
    pub headers: HeaderMap,
    /// What follows.
    pub body: Body,
}

/// What follows the headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    Empty,
    /// A fixed sentence. It names no path and no version (SECURITY S18).
    Text(&'static str),
    /// Bytes of the file, from `first` on.
    Bytes {
        /// Offset of the first byte.
        first: u64,
        /// How many.
        length: u64,
    },
}

/// The media type of a file by its name.
///
/// UEFI takes `application/efi` for a program and `application/vnd.efi-iso` for a disc image whatever the name, and knows
/// `.efi`, `.iso` and `.img` by their ending otherwise (EDK2 `HttpBootSupport.c`); both always agree here.
pub fn content_type(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    match ending.as_deref() {
        Some("efi") => "application/efi",
        Some("iso") => "application/vnd.efi-iso",
        Some("ipxe" | "cfg" | "txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// What is wrong with a request whatever it asks for; `None` if nothing is.
pub fn objection(method: &Method, version: Version, headers: &HeaderMap) -> Option<Head> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host_is_right = match (hosts.next(), hosts.next()) {
        (Some(host), None) => is_host(host),
        (None, None) => version < Version::HTTP_11,
        _ => false,
    };
    if !host_is_right {
        return Some(error(StatusCode::BAD_REQUEST));
    }
    match *method {
        Method::GET | Method::HEAD => None,
        Method::OPTIONS => {
            Some(with_allow(Head { status: StatusCode::NO_CONTENT, headers: HeaderMap::new(), body: Body::Empty }))
        }
        Method::POST | Method::PUT | Method::DELETE | Method::PATCH | Method::TRACE | Method::CONNECT => {
            Some(with_allow(error(StatusCode::METHOD_NOT_ALLOWED)))
        }
        _ => Some(error(StatusCode::NOT_IMPLEMENTED)),
    }
}

/// A host and perhaps a port (RFC 3986 section 3.2.2), without user information.
fn is_host(value: &HeaderValue) -> bool {
    value
        .to_str()
        .is_ok_and(|host| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%:[]".contains(&byte)))
}

/// An error with its fixed sentence.
pub fn error(status: StatusCode) -> Head {
    let text = match status {
        StatusCode::NOT_FOUND => "Not found.\n",
        StatusCode::BAD_REQUEST => "This request cannot be read.\n",
        StatusCode::METHOD_NOT_ALLOWED => "Only GET and HEAD are served here.\n",
        StatusCode::NOT_IMPLEMENTED => "This method is not known here.\n",
        StatusCode::FORBIDDEN => "Only computers that have given the password get this.\n",
        StatusCode::UNAUTHORIZED => "This needs a password.\n",
        StatusCode::RANGE_NOT_SATISFIABLE => "The range lies behind the end.\n",
        StatusCode::PRECONDITION_FAILED => "The file has changed.\n",
        _ => "This cannot be served.\n",
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
    Head { status, headers, body: Body::Text(text) }
}

/// Asks for a password (RFC 7617). iPXE sends one only when it is asked.
pub fn who_are_you() -> Head {
    let mut head = error(StatusCode::UNAUTHORIZED);
    head.headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"Bootwright\""));
    head
}

fn with_allow(mut head: Head) -> Head {
    head.headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    head
}

/// The answer to GET or HEAD for a file that exists.
pub fn file(method: &Method, request: &HeaderMap, meta: &Meta) -> Head {
    match condition(request, meta) {
        Condition::Failed => return for_method(method, error(StatusCode::PRECONDITION_FAILED)),
        Condition::Unchanged => {
            let mut headers = HeaderMap::new();
            validators(&mut headers, meta);
            return Head { status: StatusCode::NOT_MODIFIED, headers, body: Body::Empty };
        }
        Condition::Send => {}
    }
    // A range means something with GET only (RFC 9110 section 14.2).
    let ranged = *method == Method::GET && if_range(request, meta);
    let asked = if ranged { text(request, header::RANGE) } else { None };
    let (status, first, length) = match range::part(asked, meta.size) {
        Part::Whole => (StatusCode::OK, 0, meta.size),
        Part::Bytes { first, last } => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Part::Unsatisfiable => {
            let mut head = error(StatusCode::RANGE_NOT_SATISFIABLE);
            insert(&mut head.headers, header::CONTENT_RANGE, &format!("bytes */{}", meta.size));
            return head;
        }
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(meta.content_type));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if status == StatusCode::PARTIAL_CONTENT {
        let last = first + length - 1;
        insert(&mut headers, header::CONTENT_RANGE, &format!("bytes {first}-{last}/{}", meta.size));
    }
    validators(&mut headers, meta);
    for_method(method, Head { status, headers, body: Body::Bytes { first, length } })
}

/// The same answer for HEAD: all headers and no body.
pub fn for_method(method: &Method, mut head: Head) -> Head {
    if *method == Method::HEAD {
        head.body = Body::Empty;
    }
    head
}

fn validators(headers: &mut HeaderMap, meta: &Meta) {
    insert(headers, header::ETAG, &meta.etag);
    if let Some(modified) = whole_seconds(meta) {
        insert(headers, header::LAST_MODIFIED, &httpdate::fmt_http_date(modified));
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Condition {
    Send,
    Unchanged,
    Failed,
}

/// The conditions in the order of RFC 9110 section 13.2.2. A date that cannot be read is no condition.
fn condition(request: &HeaderMap, meta: &Meta) -> Condition {
    if let Some(tags) = text(request, header::IF_MATCH) {
        if !lists(tags, &meta.etag, Compare::Strong) {
            return Condition::Failed;
        }
    } else if let (Some(since), Some(modified)) = (date(request, header::IF_UNMODIFIED_SINCE), whole_seconds(meta))
        && modified > since
    {
        return Condition::Failed;
    }
    if let Some(tags) = text(request, header::IF_NONE_MATCH) {
        if lists(tags, &meta.etag, Compare::Weak) {
            return Condition::Unchanged;
        }
    } else if let (Some(since), Some(modified)) = (date(request, header::IF_MODIFIED_SINCE), whole_seconds(meta))
        && modified <= since
    {
        return Condition::Unchanged;
    }
    Condition::Send
}

/// Whether a range may be used: no `If-Range`, or one that names just this version (RFC 9110 section 13.1.5).
fn if_range(request: &HeaderMap, meta: &Meta) -> bool {
    match text(request, header::IF_RANGE) {
        None => !request.contains_key(header::IF_RANGE),
        Some(value) if value.starts_with('"') => value == meta.etag,
        Some(value) => httpdate::parse_http_date(value).ok().is_some_and(|date| whole_seconds(meta) == Some(date)),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Compare {
    Strong,
    Weak,
}

fn lists(tags: &str, own: &str, compare: Compare) -> bool {
    tags.split(',').map(str::trim).any(|tag| match tag.strip_prefix("W/") {
        Some(weak) => compare == Compare::Weak && weak == own,
        None => tag == "*" || tag == own,
    })
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(text(headers, name)?).ok()
}

/// The time as an HTTP date can say it: whole seconds, from 1970 to 9999. A file may claim any other (`touch -d 1960`),
/// which httpdate does not take.
fn whole_seconds(meta: &Meta) -> Option<SystemTime> {
    const YEAR_10000: u64 = 253_402_300_800;
    let since = meta.modified?.duration_since(UNIX_EPOCH).ok()?.as_secs();
    (since < YEAR_10000).then(|| UNIX_EPOCH + Duration::from_secs(since))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const SAME: &str = "Fri, 01 Jan 2021 00:00:00 GMT";
    const NEW: &str = "Sat, 01 Jan 2022 00:00:00 GMT";

    fn meta() -> Meta {
        Meta {
            size: 100,
            etag: "\"abc\"".into(),
            modified: Some(UNIX_EPOCH + Duration::from_millis(1_609_459_200_500)),
            content_type: "application/efi",
        }
    }

    fn ask(method: &Method, list: &[(HeaderName, &str)]) -> Head {
        let headers = list.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect();
        file(method, &headers, &meta())
    }

    #[test]
    fn conditions_are_judged_in_their_order() {
        use header::*;
        let cases: [(&[(HeaderName, &str)], u16); 16] = [
            (&[], 200),
            (&[(IF_MATCH, "\"abc\"")], 200),
            (&[(IF_MATCH, "*")], 200),
            (&[(IF_MATCH, "W/\"abc\"")], 412),
            (&[(IF_MATCH, "\"x\", \"abc\""), (IF_UNMODIFIED_SINCE, OLD)], 200),
            (&[(IF_UNMODIFIED_SINCE, OLD)], 412),
            (&[(IF_UNMODIFIED_SINCE, SAME)], 200),
            (&[(IF_UNMODIFIED_SINCE, "yesterday")], 200),
            (&[(IF_NONE_MATCH, "W/\"abc\"")], 304),
            (&[(IF_NONE_MATCH, "\"x\""), (IF_MODIFIED_SINCE, NEW)], 200),
            (&[(IF_MODIFIED_SINCE, SAME)], 304),
            (&[(IF_MODIFIED_SINCE, OLD)], 200),
            (&[(RANGE, "bytes=0-9"), (IF_RANGE, "\"abc\"")], 206),
            (&[(RANGE, "bytes=0-9"), (IF_RANGE, "\"x\"")], 200),
            (&[(RANGE, "bytes=0-9"), (IF_RANGE, SAME)], 206),
            (&[(RANGE, "bytes=0-9"), (IF_RANGE, NEW)], 200),
        ];
        for (headers, status) in cases {
            assert_eq!(ask(&Method::GET, headers).status.as_u16(), status, "{headers:?}");
        }
    }

    #[test]
    fn head_has_the_headers_of_get_and_no_body() {
        let (get, head) = (ask(&Method::GET, &[]), ask(&Method::HEAD, &[]));
        assert_eq!((get.status, get.headers), (head.status, head.headers.clone()));
        assert_eq!((get.body, head.body), (Body::Bytes { first: 0, length: 100 }, Body::Empty));
        assert_eq!(head.headers[header::CONTENT_LENGTH], "100");
        assert_eq!(head.headers[header::ETAG], "\"abc\"");
        assert_eq!(ask(&Method::HEAD, &[(header::RANGE, "bytes=0-9")]).status, StatusCode::OK);
    }

    #[test]
    fn ranges_say_where_they_lie() {
        let part = ask(&Method::GET, &[(header::RANGE, "bytes=-10")]);
        assert_eq!(part.body, Body::Bytes { first: 90, length: 10 });
        assert_eq!(part.headers[header::CONTENT_RANGE], "bytes 90-99/100");
        let none = ask(&Method::GET, &[(header::RANGE, "bytes=100-")]);
        assert_eq!(
            (none.status, &none.headers[header::CONTENT_RANGE]),
            (StatusCode::RANGE_NOT_SATISFIABLE, &HeaderValue::from_static("bytes */100"))
        );
    }

    #[test]
    fn a_time_that_no_date_can_say_is_left_out() {
        for modified in [UNIX_EPOCH - Duration::from_secs(1), UNIX_EPOCH + Duration::from_secs(300_000_000_000)] {
            let meta = Meta { modified: Some(modified), ..meta() };
            let head = file(&Method::GET, &HeaderMap::new(), &meta);
            assert!(head.status.is_success() && !head.headers.contains_key(header::LAST_MODIFIED));
        }
    }

    #[test]
    fn bad_hosts_and_methods_are_refused() {
        let judge = |method: &str, version, hosts: &[&str]| {
            let headers =
                hosts.iter().map(|host| (header::HOST, HeaderValue::from_str(host).unwrap())).collect::<HeaderMap>();
            objection(&method.parse().unwrap(), version, &headers).map(|head| head.status.as_u16())
        };
        assert_eq!(judge("GET", Version::HTTP_11, &["10.77.0.1:80"]), None);
        assert_eq!(judge("GET", Version::HTTP_10, &[]), None);
        assert_eq!(judge("GET", Version::HTTP_11, &[]), Some(400));
        assert_eq!(judge("GET", Version::HTTP_11, &["a", "a"]), Some(400));
        assert_eq!(judge("GET", Version::HTTP_11, &["a b/c"]), Some(400));
        assert_eq!(judge("POST", Version::HTTP_11, &["a"]), Some(405));
        assert_eq!(judge("BREW", Version::HTTP_11, &["a"]), Some(501));
        assert_eq!(judge("OPTIONS", Version::HTTP_11, &["a"]), Some(204));
    }
}
