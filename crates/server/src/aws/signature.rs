//! Signatures of requests: AWS Signature Version 4, verified.
//!
//! The client signs method, path, query, some headers and the hash of the body with a key that is derived from its secret, the day, the region and the
//! service. All of that is computed again here; what is compared, in constant time, is the signature alone. Any region and service will do: the client
//! signs for whatever it takes us for. A signature is good for a quarter of an hour before and after its time.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::error::AwsError;
use crate::settings::{self, SettingsError};

/// How far the client's clock may be from ours, in seconds.
const SKEW_SECONDS: u64 = 15 * 60;

/// The most headers that a signature covers.
const SIGNED_HEADERS_MAX: usize = 64;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Keys that requests may be signed with.
#[derive(Clone, Default)]
pub struct Keys {
    /// Access key ids and their secrets.
    secrets: Vec<(String, String)>,
}

impl Keys {
    /// Reads a file: a line for each key, with its id and its secret.
    ///
    /// # Errors
    ///
    /// The file cannot be read, has no key, or has a line of another form.
    pub(crate) fn read(path: &Path) -> Result<Keys, SettingsError> {
        let invalid = |message: String| SettingsError::Invalid { path: path.to_owned(), message };
        let mut secrets = Vec::new();
        for (number, line) in settings::read(path)?.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match line.split_whitespace().collect::<Vec<_>>()[..] {
                [id, secret] => secrets.push((id.to_owned(), secret.to_owned())),
                _ => {
                    let number = number + 1;
                    let form = "a line has an access key id and its secret";
                    return Err(invalid(format!("line {number}: {form}")));
                }
            }
        }
        if secrets.is_empty() {
            return Err(invalid("there is no key in it".to_owned()));
        }
        Ok(Keys { secrets })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    fn secret(&self, id: &str) -> Option<&str> {
        self.secrets.iter().find(|(known, _)| known == id).map(|(_, secret)| secret.as_str())
    }
}

/// Verifies the signature of a request.
///
/// # Errors
///
/// It has none, or not that of one of the keys at this time.
pub(super) fn verify(keys: &Keys, request: &Parts, body: &[u8]) -> Result<(), AwsError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    verify_at(keys, request, body, now).map_err(AwsError::denied)
}

/// The parts of an `Authorization` header.
struct Signed<'h> {
    key: &'h str,
    /// Day, region, service and `aws4_request`.
    scope: [&'h str; 4],
    headers: Vec<&'h str>,
    signature: &'h str,
}

fn verify_at(keys: &Keys, request: &Parts, body: &[u8], now: u64) -> Result<(), &'static str> {
    let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = header(AUTHORIZATION.as_str()).ok_or("the request is not signed")?;
    let signed = Signed::read(authorization).ok_or("the `Authorization` header is malformed")?;
    let time = header("x-amz-date").ok_or("the request has no `X-Amz-Date`")?;
    let seconds = seconds(time).ok_or("`X-Amz-Date` is malformed")?;
    if now.abs_diff(seconds) > SKEW_SECONDS {
        return Err("the request was signed too long ago, or the clocks differ");
    }
    let [day, _, _, end] = signed.scope;
    if !time.starts_with(day) || end != "aws4_request" {
        return Err("the scope of the signature is not that of the request");
    }
    for name in ["host", "x-amz-date"] {
        if !signed.headers.contains(&name) {
            return Err("the signature has to cover `host` and `x-amz-date`");
        }
    }
    let hash = hex(&Sha256::digest(body));
    // What the client says of the body counts only if it is true.
    if header("x-amz-content-sha256").is_some_and(|said| said != hash) {
        return Err("the body is not what was signed");
    }
    let canonical = canonical(request, &signed.headers, &hash)?;
    let text = format!(
        "{ALGORITHM}\n{time}\n{}\n{}",
        signed.scope.join("/"),
        hex(&Sha256::digest(canonical.as_bytes()))
    );
    // An unknown key takes as long as a known one.
    let secret = keys.secret(signed.key);
    let mut key = format!("AWS4{}", secret.unwrap_or_default()).into_bytes();
    for part in signed.scope {
        key = mac(&key, part);
    }
    let expected = hex(&mac(&key, &text));
    let is_right = expected.as_bytes().ct_eq(signed.signature.as_bytes());
    match secret.is_some() && bool::from(is_right) {
        true => Ok(()),
        false => Err("the signature is not that of a key that is known here"),
    }
}

impl<'h> Signed<'h> {
    fn read(header: &'h str) -> Option<Signed<'h>> {
        let parameters = header.strip_prefix(ALGORITHM)?.trim_start();
        let (mut credential, mut headers, mut signature) = (None, None, None);
        for parameter in parameters.splitn(4, ',') {
            let (name, value) = parameter.trim().split_once('=')?;
            match name {
                "Credential" => credential = Some(value),
                "SignedHeaders" => headers = Some(value),
                "Signature" => signature = Some(value),
                _ => return None,
            }
        }
        let headers: Vec<&str> = headers?.split(';').take(SIGNED_HEADERS_MAX + 1).collect();
        if headers.len() > SIGNED_HEADERS_MAX {
            return None;
        }
        // A key id has no slash, so there are exactly five parts.
        let parts: Vec<&str> = credential?.split('/').take(6).collect();
        let [key, day, region, service, end] = parts[..] else { return None };
        Some(Signed { key, scope: [day, region, service, end], headers, signature: signature? })
    }
}

/// The request as it is signed.
fn canonical(request: &Parts, signed_headers: &[&str], hash: &str) -> Result<String, &'static str> {
    let mut text = format!("{}\n{}\n", request.method, encoded(request.uri.path(), true));
    let query = request.uri.query().unwrap_or_default();
    let mut parameters: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (encoded(&name, false), encoded(&value, false)))
        .collect();
    parameters.sort_unstable();
    let parameters: Vec<String> =
        parameters.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    text.push_str(&parameters.join("&"));
    text.push('\n');
    for name in signed_headers {
        let mut values = Vec::new();
        for value in request.headers.get_all(*name) {
            let value = value.to_str().map_err(|_| "a signed header is no text")?;
            values.push(value.split_ascii_whitespace().collect::<Vec<_>>().join(" "));
        }
        if values.is_empty() {
            return Err("a header that was signed is missing");
        }
        text.push_str(&format!("{name}:{}\n", values.join(",")));
    }
    text.push_str(&format!("\n{}\n{hash}", signed_headers.join(";")));
    Ok(text)
}

/// The text with everything but unreserved characters, and slashes if they stay, as percent and hexadecimal digits.
fn encoded(text: &str, keeps_slashes: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            b'/' if keeps_slashes => encoded.push('/'),
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The instant of a time such as `20261129T085000Z`, in seconds since 1970.
fn seconds(time: &str) -> Option<u64> {
    let (day, rest) = time.split_at_checked(8)?;
    let clock = rest.strip_prefix('T')?.strip_suffix('Z')?;
    let (year, month, day) = (day.get(..4)?, day.get(4..6)?, day.get(6..)?);
    let (hour, minute, second) = (clock.get(..2)?, clock.get(2..4)?, clock.get(4..)?);
    let extended = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z");
    keyaki::policy::evaluate::seconds(&extended)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    const KEY: &str = "AKIDEXAMPLE";
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    /// The example of the documentation of Signature Version 4: `ListUsers`, on 30 August 2015.
    const LIST_USERS: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
        SignedHeaders=content-type;host;x-amz-date, \
        Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";

    fn keys() -> Keys {
        Keys { secrets: vec![(KEY.to_owned(), SECRET.to_owned())] }
    }

    fn list_users() -> Parts {
        let request = Request::get("/?Action=ListUsers&Version=2010-05-08")
            .header("host", "iam.amazonaws.com")
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            .header("x-amz-date", "20150830T123600Z")
            .header("authorization", LIST_USERS);
        request.body(()).unwrap().into_parts().0
    }

    const AT: u64 = 1_440_938_160;

    #[test]
    fn the_documented_example_is_right() {
        assert_eq!(seconds("20150830T123600Z"), Some(AT));
        assert_eq!(verify_at(&keys(), &list_users(), b"", AT), Ok(()));
        assert_eq!(verify_at(&keys(), &list_users(), b"", AT + SKEW_SECONDS), Ok(()));
    }

    #[test]
    fn whatever_is_changed_makes_it_wrong() {
        let check = |change: &dyn Fn(&mut Parts), keys: &Keys, body: &[u8], now: u64| {
            let mut request = list_users();
            change(&mut request);
            assert!(verify_at(keys, &request, body, now).is_err());
        };
        let same = |_: &mut Parts| {};
        check(&same, &keys(), b"x", AT);
        check(&same, &keys(), b"", AT + SKEW_SECONDS + 1);
        check(&same, &keys(), b"", AT - SKEW_SECONDS - 1);
        let other = Keys { secrets: vec![(KEY.to_owned(), SECRET.to_lowercase())] };
        check(&same, &other, b"", AT);
        check(&same, &Keys { secrets: vec![("AKIDOTHER".to_owned(), SECRET.to_owned())] }, b"", AT);
        // A key without secret is not that of somebody unknown.
        check(&same, &Keys { secrets: vec![(String::new(), String::new())] }, b"", AT);
        check(
            &|request| request.uri = "/?Action=ListRoles&Version=2010-05-08".parse().unwrap(),
            &keys(),
            b"",
            AT,
        );
        check(
            &|request| request.uri = "/x?Action=ListUsers&Version=2010-05-08".parse().unwrap(),
            &keys(),
            b"",
            AT,
        );
        check(&|request| request.method = "POST".parse().unwrap(), &keys(), b"", AT);
        for (name, value) in [
            ("host", "sts.amazonaws.com"),
            ("x-amz-date", "20150830T123601Z"),
            ("x-amz-date", "20150831T123600Z"),
            ("x-amz-content-sha256", "0"),
            ("authorization", "Bearer x"),
        ] {
            let change = |request: &mut Parts| {
                request.headers.insert(name, value.parse().unwrap());
            };
            check(&change, &keys(), b"", AT);
        }
        for (from, to) in [
            ("b5d7", "b5d8"),
            ("=5d67", "=5D67"),
            ("us-east-1", "us-east-2"),
            ("content-type;host;", "host;"),
            ("host;x-amz-date", "host"),
            ("aws4_request", "aws4_requesx"),
            (
                "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
                "Signature=",
            ),
        ] {
            let change = |request: &mut Parts| {
                let value = LIST_USERS.replace(from, to);
                request.headers.insert("authorization", value.parse().unwrap());
            };
            check(&change, &keys(), b"", AT);
        }
    }

    #[test]
    fn times_are_read_strictly() {
        assert_eq!(seconds("19700101T000000Z"), Some(0));
        assert_eq!(seconds("20240229T235959Z"), Some(1_709_251_199));
        for time in [
            "",
            "20150830",
            "20150830T1236Z",
            "2015083012T3600Z",
            "20151330T123600Z",
            "ÄÄÄÄ0830T123600Z",
            "2015083ÄT123600Z",
        ] {
            assert_eq!(seconds(time), None, "{time}");
        }
    }
}
