//! Who may ask: bearer tokens. Certificates of clients are asked for by `tls`.
//!
//! Tokens are kept as their SHA-256 and compared in constant time, all of them, so that neither how much of a token is right nor which it is
//! can be timed.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{Response, StatusCode};
use axum::middleware::Next;
use axum::response::IntoResponse;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::problem::Problem;
use crate::service::Service;

/// Tokens, without the tokens.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    digests: Vec<[u8; 32]>,
}

impl Tokens {
    /// These tokens.
    pub fn new<'t>(tokens: impl IntoIterator<Item = &'t str>) -> Tokens {
        Tokens { digests: tokens.into_iter().map(digest).collect() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    /// Whether the token is one of them.
    pub fn has(&self, token: &str) -> bool {
        let digest = digest(token);
        let found =
            self.digests.iter().fold(Choice::from(0), |found, known| found | known.ct_eq(&digest));
        found.into()
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The layer that lets a request pass if it has one of the tokens, or if nobody needs one.
pub(crate) async fn bearer(
    State(service): State<Service>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let credentials = service.credentials();
    let tokens = &credentials.tokens;
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = given.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    if credentials.lets_strangers_in() || token.is_some_and(|token| tokens.has(token)) {
        return next.run(request).await;
    }
    let message = match token {
        Some(_) => "the bearer token is not one of those that are accepted",
        None => "this service wants `Authorization: Bearer TOKEN`",
    };
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", message).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_token_is_one() {
        let tokens = Tokens::new(["first-token", "second-token"]);
        assert!(tokens.has("first-token") && tokens.has("second-token"));
        for other in ["", "first-toke", "first-token ", "First-token", "first-tokensecond-token"] {
            assert!(!tokens.has(other), "{other}");
        }
        assert!(!Tokens::default().has(""));
    }
}
