//! TLS and certificates of clients, with certificates that openssl makes and curl as the client: neither shares code with the service.

use std::io::Write;
use std::process::{Command, Stdio};

use super::Server;
use crate::program::{Den, PUBLIC};

/// Makes an authority, a certificate of `localhost` by it, and one of a client by another authority.
const CERTIFICATES: &str = "
set -e
for name in one two; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=$name -keyout $name.key -out $name.pem
done
certify() { # authority, name, extension
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=$2 -keyout $2.key -out $2.request
    echo \"$3\" >$2.extension
    openssl x509 -req -in $2.request -CA $1.pem -CAkey $1.key -CAcreateserial -days 2 -extfile $2.extension -out $2.pem
}
certify one localhost subjectAltName=DNS:localhost
certify two client extendedKeyUsage=clientAuth
certify one stranger extendedKeyUsage=clientAuth
";

/// A directory with certificates; none where there are no programs to make and use them.
pub(crate) fn den() -> Option<Den> {
    let den = Den::new();
    let mut make = Command::new("sh");
    make.args(["-c", CERTIFICATES])
        .current_dir(den.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let is_made = make.status().is_ok_and(|status| status.success());
    let curl = Command::new("curl").arg("--version").stdout(Stdio::null()).status();
    if is_made && curl.is_ok_and(|status| status.success()) {
        return Some(den);
    }
    drop(std::io::stderr().write_all(b"SKIPPED: openssl and curl are needed for tests of TLS\n"));
    None
}

/// What curl gets, and whether it gets anything.
fn curl(server: &Server, arguments: &[&str]) -> (bool, String) {
    let url = format!("https://localhost:{}/v1/check/no-public-access", server.address.port());
    let body = format!(r#"{{"policy":{PUBLIC}}}"#);
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--max-time", "60", "--noproxy", "*", "-d", &body, &url]).args(arguments);
    let output = curl.current_dir(server.den.path()).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn answers_come_over_tls_from_who_has_the_certificate() {
    let Some(den) = den() else { return };
    let server = Server::start_in(den, "--tls-certificate localhost.pem --tls-key localhost.key");
    let (is_answered, text) = curl(&server, &["--cacert", "one.pem"]);
    assert!(is_answered && text.contains(r#""verdict":"fails""#), "{text}");
    let (is_answered, _) = curl(&server, &["--cacert", "two.pem"]);
    assert!(!is_answered, "the client has to see that this is another authority");
    // Who speaks no TLS gets no answer, and whoever comes then does.
    let mut stream = server.connect();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut bytes = Vec::new();
    let _ = std::io::Read::read_to_end(&mut stream, &mut bytes);
    assert!(!bytes.starts_with(b"HTTP/"), "{bytes:?}");
    assert!(curl(&server, &["--cacert", "one.pem"]).0);
}

#[test]
fn only_clients_with_a_certificate_of_the_authority_are_answered() {
    let Some(den) = den() else { return };
    let arguments =
        "--tls-certificate localhost.pem --tls-key localhost.key --client-authority two.pem";
    let server = Server::start_in(den, arguments);
    let known = ["--cacert", "one.pem", "--cert", "client.pem", "--key", "client.key"];
    let (is_answered, text) = curl(&server, &known);
    assert!(is_answered && text.contains(r#""verdict":"fails""#), "{text}");
    assert!(!curl(&server, &["--cacert", "one.pem"]).0, "no certificate");
    let stranger = ["--cacert", "one.pem", "--cert", "stranger.pem", "--key", "stranger.key"];
    assert!(!curl(&server, &stranger).0, "a certificate of another authority");
}

#[test]
fn files_that_are_no_certificates_are_refused_at_the_start() {
    let den = Den::with("empty.pem", "");
    let run = den.keyaki("serve --tls-certificate empty.pem --tls-key empty.pem");
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("empty.pem: there is no certificate in it"), "{}", run.stderr);
    let run = den.keyaki("serve --tls-certificate none.pem --tls-key none.pem");
    assert!(run.stderr.contains("cannot read `none.pem`"), "{}", run.stderr);
    assert_eq!(den.keyaki("serve --tls-certificate empty.pem").status, 2);
}
