//! As much of HTTP/1.1 (RFC 9112) as one page needs, read strictly and within bounds.
//!
//! Requests have no body. Whatever could be read in two ways is refused, and the connection ends with it. For programs that test
//! TLS and hardly speak HTTP there is [`Reading::Anything`].

use std::io::{self, Read};

use crate::patient::is_timeout;
use time::{OffsetDateTime, UtcDateTime};

/// The most bytes that a request line with its header fields may have.
const LARGEST_HEAD: usize = 8 * 1024;
/// The same where anything is a request: one that fills a record of TLS is one.
const LARGEST_ANYTHING: usize = 32 * 1024;
/// The most header fields of one request.
const MOST_FIELDS: usize = 64;

/// What a visitor asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// HEAD instead of GET.
    pub head_only: bool,
    /// The path without the query, as it was sent.
    pub path: String,
    /// The visitor says that it reads HTML.
    pub reads_html: bool,
    /// The visitor means to ask again over this connection.
    pub keep_alive: bool,
}

/// The status codes that are used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Ok,
    BadRequest,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Timeout,
    ContentTooLarge,
    HeadTooLarge,
    VersionNotSupported,
}

impl Status {
    pub(crate) const fn line(self) -> &'static str {
        match self {
            Self::Ok => "200 OK",
            Self::BadRequest => "400 Bad Request",
            Self::Forbidden => "403 Forbidden",
            Self::NotFound => "404 Not Found",
            Self::MethodNotAllowed => "405 Method Not Allowed",
            Self::Timeout => "408 Request Timeout",
            Self::ContentTooLarge => "413 Content Too Large",
            Self::HeadTooLarge => "431 Request Header Fields Too Large",
            Self::VersionNotSupported => "505 HTTP Version Not Supported",
        }
    }

    /// A body for a status that has no page.
    pub(crate) fn plain(self) -> Page {
        Page {
            content_type: "text/plain; charset=utf-8",
            body: format!("{}\n", self.line()),
        }
    }
}

/// Why there is no request.
#[derive(Debug)]
pub(crate) enum NoRequest {
    /// The visitor has closed the connection between two requests.
    Closed,
    /// It is no request that is answered; the connection ends after this status.
    Refused(Status),
    /// The connection failed.
    Failed(io::Error),
}

impl From<Status> for NoRequest {
    fn from(status: Status) -> Self {
        Self::Refused(status)
    }
}

/// What is taken for a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Reading {
    /// What RFC 9112 calls one.
    #[default]
    Strict,
    /// Whatever ends with an empty line, in either style of line ends. All of it is answered, until the visitor closes.
    Anything,
}

impl Reading {
    const fn largest_head(self) -> usize {
        match self {
            Self::Strict => LARGEST_HEAD,
            Self::Anything => LARGEST_ANYTHING,
        }
    }

    const fn ends(self) -> &'static [&'static [u8]] {
        match self {
            Self::Strict => &[b"\r\n\r\n"],
            Self::Anything => &[b"\r\n\r\n", b"\n\n"],
        }
    }

    fn parse(self, head: &[u8]) -> Result<Request, Status> {
        match self {
            Self::Strict => parse(head),
            Self::Anything => Ok(guess(head)),
        }
    }
}

/// Reads one request after the other from a connection.
#[derive(Debug, Default)]
pub(crate) struct RequestReader {
    reading: Reading,
    /// Bytes that were read but do not belong to a request yet.
    unread: Vec<u8>,
}

impl RequestReader {
    pub(crate) fn new(reading: Reading) -> Self {
        Self {
            reading,
            unread: Vec::new(),
        }
    }

    /// Reads the next request. At most as many bytes as a request may have and what one call of `read` brings are kept.
    pub(crate) fn next(&mut self, source: &mut impl Read) -> Result<Request, NoRequest> {
        let mut chunk = [0; 2048];
        loop {
            if let Some(head) = self.take_head() {
                return Ok(self.reading.parse(&head?)?);
            }
            let is_between = self.unread.is_empty() || self.reading == Reading::Anything;
            let length = match source.read(&mut chunk) {
                Ok(0) if is_between => return Err(NoRequest::Closed),
                Ok(0) => return Err(Status::BadRequest.into()),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if is_timeout(&error) && !is_between => {
                    return Err(Status::Timeout.into());
                }
                Err(error) if is_timeout(&error) => return Err(NoRequest::Closed),
                Err(error) => return Err(NoRequest::Failed(error)),
            };
            self.unread
                .extend_from_slice(chunk.get(..length).unwrap_or_default());
        }
    }

    /// Keeps bytes that were read elsewhere for the next request. Returns how many are kept now.
    pub(crate) fn keep(&mut self, bytes: &[u8]) -> usize {
        self.unread.extend_from_slice(bytes);
        self.unread.len()
    }

    /// Takes everything up to the empty line, which is not part of the result.
    fn take_head(&mut self) -> Option<Result<Vec<u8>, Status>> {
        let largest = self.reading.largest_head();
        let ends = self.reading.ends().iter().filter_map(|end| {
            let at = self.unread.windows(end.len()).position(|it| it == *end)?;
            Some((at, at.saturating_add(end.len())))
        });
        match ends.min() {
            Some((end, next)) if end <= largest => {
                let mut head: Vec<u8> = self.unread.drain(..next).collect();
                head.truncate(end);
                Some(Ok(head))
            }
            None if self.unread.len() <= largest => None,
            _ => Some(Err(Status::HeadTooLarge)),
        }
    }
}

/// Makes of anything a request for a page: for the one that is its second word, if it can be a path.
fn guess(head: &[u8]) -> Request {
    let text = str::from_utf8(head).unwrap_or_default();
    let target = text.split_ascii_whitespace().nth(1).unwrap_or_default();
    Request {
        head_only: false,
        path: path_of(target).unwrap_or("/").to_owned(),
        reads_html: false,
        keep_alive: true,
    }
}

fn parse(head: &[u8]) -> Result<Request, Status> {
    let text = str::from_utf8(head).map_err(|_| Status::BadRequest)?;
    let mut lines = text.split("\r\n");
    let line = lines.next().unwrap_or_default();
    let fields = Fields::parse(lines)?;
    let (method, target) = request_line(line)?;
    // RFC 9112 §3.2: MUST respond with 400 to a request that lacks Host or has more than one.
    if fields.all("host").count() != 1 {
        return Err(Status::BadRequest);
    }
    // RFC 9112 §6.1: a length that could be read in two ways is how requests are smuggled.
    if fields.all("transfer-encoding").next().is_some() || fields.all("content-length").count() > 1
    {
        return Err(Status::BadRequest);
    }
    if fields.all("content-length").any(|length| length != "0") {
        return Err(Status::ContentTooLarge);
    }
    let head_only = match method {
        "GET" => false,
        "HEAD" => true,
        _ => return Err(Status::MethodNotAllowed),
    };
    Ok(Request {
        head_only,
        path: path_of(target)?.to_owned(),
        reads_html: fields
            .list("accept")
            .any(|kind| kind.to_ascii_lowercase().starts_with("text/html")),
        keep_alive: !fields
            .list("connection")
            .any(|option| option.eq_ignore_ascii_case("close")),
    })
}

/// The method and the target of `METHOD SP target SP HTTP/1.1`.
fn request_line(line: &str) -> Result<(&str, &str), Status> {
    let mut parts = line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Status::BadRequest);
    };
    if !is_token(method) || target.is_empty() || !target.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Err(Status::BadRequest);
    }
    match version {
        "HTTP/1.1" => Ok((method, target)),
        other if other.starts_with("HTTP/") => Err(Status::VersionNotSupported),
        _ => Err(Status::BadRequest),
    }
}

/// RFC 9112 §3.2: origin-form, and absolute-form, which servers MUST accept.
fn path_of(target: &str) -> Result<&str, Status> {
    let path = match target.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => {
            rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
        }
        _ => target,
    };
    if !path.starts_with('/') {
        return Err(Status::BadRequest);
    }
    Ok(path.split(['?', '#']).next().unwrap_or(path))
}

/// The header fields of a request.
struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    fn parse(lines: impl Iterator<Item = &'a str>) -> Result<Self, Status> {
        let mut fields = Vec::new();
        for line in lines {
            if fields.len() >= MOST_FIELDS {
                return Err(Status::HeadTooLarge);
            }
            // RFC 9112 §5.1: no whitespace before the colon; §5.2: no line folding.
            let (name, value) = line.split_once(':').ok_or(Status::BadRequest)?;
            let value = value.trim_matches([' ', '\t']);
            if !is_token(name)
                || value
                    .chars()
                    .any(|character| character.is_control() && character != '\t')
            {
                return Err(Status::BadRequest);
            }
            fields.push((name, value));
        }
        Ok(Self(fields))
    }

    fn all(&self, name: &'static str) -> impl Iterator<Item = &'a str> {
        let named = move |(found, _): &&(&'a str, &'a str)| found.eq_ignore_ascii_case(name);
        self.0.iter().filter(named).map(|(_, value)| *value)
    }

    /// The elements of a comma-separated field.
    fn list(&self, name: &'static str) -> impl Iterator<Item = &'a str> {
        self.all(name)
            .flat_map(|value| value.split(',').map(str::trim))
    }
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    let is_token_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// A body and what it is.
#[derive(Debug)]
pub(crate) struct Page {
    pub content_type: &'static str,
    pub body: String,
}

/// What happens to the connection after a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Afterwards {
    KeepAlive,
    Close,
}

/// A response as it goes out. `head_only` leaves the body out but not its length.
pub(crate) fn response(
    status: Status,
    page: &Page,
    head_only: bool,
    afterwards: Afterwards,
    now: OffsetDateTime,
) -> Vec<u8> {
    let connection = match afterwards {
        Afterwards::KeepAlive => "keep-alive",
        Afterwards::Close => "close",
    };
    let allow = if status == Status::MethodNotAllowed {
        "Allow: GET, HEAD\r\n"
    } else {
        ""
    };
    let mut text = format!(
        "HTTP/1.1 {}\r\nDate: {}\r\nServer: countersign\r\nContent-Type: {}\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
         Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n{allow}Connection: {connection}\r\n\r\n",
        status.line(),
        date(now),
        page.content_type,
        page.body.len(),
    );
    if !head_only {
        text.push_str(&page.body);
    }
    text.into_bytes()
}

/// RFC 9110 §5.6.7, as `Sun, 06 Nov 1994 08:49:37 GMT`.
fn date(now: OffsetDateTime) -> String {
    let now = UtcDateTime::from(now);
    let weekday = now.weekday().to_string();
    let month = now.month().to_string();
    format!(
        "{:.3}, {:02} {:.3} {:04} {:02}:{:02}:{:02} GMT",
        weekday,
        now.day(),
        month,
        now.year(),
        now.hour(),
        now.minute(),
        now.second()
    )
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use time::OffsetDateTime;

    use super::{
        Afterwards, NoRequest, Page, Reading, Request, RequestReader, Status, date, response,
    };

    fn read(bytes: &[u8]) -> Result<Request, NoRequest> {
        RequestReader::default().next(&mut &*bytes)
    }

    fn refusal(bytes: &[u8]) -> Status {
        match read(bytes) {
            Err(NoRequest::Refused(status)) => status,
            other => panic!("{:?} gives {other:?}", String::from_utf8_lossy(bytes)),
        }
    }

    #[test]
    fn a_plain_request_is_understood() {
        let request =
            read(b"GET /who?x=1 HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n").unwrap();
        let expected = Request {
            head_only: false,
            path: "/who".into(),
            reads_html: false,
            keep_alive: true,
        };
        assert_eq!(request, expected);
    }

    #[test]
    fn header_fields_are_read_without_regard_to_case() {
        let bytes = b"HEAD https://localhost/ HTTP/1.1\r\nHOST:localhost\r\naccept: a/b, Text/HTML;q=0.9\r\nconnection: x, CLOSE\r\n\r\n";
        let request = read(bytes).unwrap();
        assert!(request.head_only && request.reads_html && !request.keep_alive);
        assert_eq!(request.path, "/");
    }

    #[test]
    fn requests_may_arrive_in_pieces_and_together() {
        struct Drip<'a>(&'a [u8]);
        impl Read for Drip<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let Some((first, rest)) = self.0.split_first() else {
                    return Ok(0);
                };
                buffer[0] = *first;
                self.0 = rest;
                Ok(1)
            }
        }
        let two = b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n";
        let mut drip = Drip(two);
        let mut whole: &[u8] = two;
        let sources: [&mut dyn Read; 2] = [&mut drip, &mut whole];
        for source in sources {
            let mut source = source;
            let mut reader = RequestReader::default();
            assert_eq!(reader.next(&mut source).unwrap().path, "/1");
            assert_eq!(reader.next(&mut source).unwrap().path, "/2");
            assert!(matches!(reader.next(&mut source), Err(NoRequest::Closed)));
        }
    }

    #[test]
    fn what_was_read_elsewhere_comes_first() {
        let mut reader = RequestReader::default();
        assert_eq!(reader.keep(b"GET /1 HTTP/1.1\r\nHo"), 19);
        let mut rest: &[u8] = b"st: a\r\n\r\n";
        assert_eq!(reader.next(&mut rest).unwrap().path, "/1");
    }

    #[test]
    fn whatever_is_ambiguous_is_refused() {
        let bad: [&[u8]; 16] = [
            b"\r\n\r\n",
            b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
            b"GET /\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n",
            b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /\x1b HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n",
        ];
        for bytes in bad {
            assert_eq!(refusal(bytes), Status::BadRequest);
        }
    }

    #[test]
    fn what_is_not_offered_is_refused_by_its_name() {
        assert_eq!(
            refusal(b"POST / HTTP/1.1\r\nHost: a\r\n\r\n"),
            Status::MethodNotAllowed
        );
        assert_eq!(
            refusal(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"),
            Status::ContentTooLarge
        );
        assert_eq!(
            refusal(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n"),
            Status::VersionNotSupported
        );
    }

    #[test]
    fn anything_that_ends_with_an_empty_line_can_be_a_request() {
        let mut whole: &[u8] = b"GET /a?b HTTP/1.0\r\n\r\nGET /c HTTP/1.0\n\n\xff /d\n\n\n\nGET x y\r\n\r\nGET /unfinished\r\n";
        let mut reader = RequestReader::new(Reading::Anything);
        for path in ["/a", "/c", "/", "/", "/"] {
            let request = reader.next(&mut whole).unwrap();
            assert_eq!(request.path, path);
            assert!(request.keep_alive && !request.head_only && !request.reads_html);
        }
        assert!(matches!(reader.next(&mut whole), Err(NoRequest::Closed)));
    }

    #[test]
    fn anything_has_bounds_too() {
        let long = |length: usize| [vec![b'x'; length], b"\n\n".to_vec()].concat();
        let read = |bytes: &[u8]| RequestReader::new(Reading::Anything).next(&mut &*bytes);
        assert_eq!(read(&long(32 * 1024)).unwrap().path, "/");
        assert!(matches!(
            read(&long(32 * 1024 + 1)),
            Err(NoRequest::Refused(Status::HeadTooLarge))
        ));
    }

    #[test]
    fn heads_have_bounds() {
        let mut long = b"GET / HTTP/1.1\r\nHost: a\r\nX: ".to_vec();
        long.extend(std::iter::repeat_n(b'x', 64 * 1024));
        assert_eq!(refusal(&long), Status::HeadTooLarge);
        let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(64));
        assert_eq!(refusal(many.as_bytes()), Status::HeadTooLarge);
    }

    #[test]
    fn a_response_says_everything_about_its_body() {
        let page = Page {
            content_type: "text/plain",
            body: "hi\n".into(),
        };
        let text = |head_only| {
            let now = OffsetDateTime::UNIX_EPOCH;
            String::from_utf8(response(
                Status::Ok,
                &page,
                head_only,
                Afterwards::Close,
                now,
            ))
            .unwrap()
        };
        assert!(
            text(false).starts_with("HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n")
        );
        assert!(text(false).contains("\r\nContent-Length: 3\r\n"));
        assert!(text(false).ends_with("\r\nConnection: close\r\n\r\nhi\n"));
        assert!(text(true).contains("\r\nContent-Length: 3\r\n"));
        assert!(text(true).ends_with("\r\n\r\n"));
    }

    #[test]
    fn dates_are_written_as_rfc_9110_has_them() {
        let sunday = OffsetDateTime::from_unix_timestamp(784_111_777).unwrap();
        assert_eq!(date(sunday), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
