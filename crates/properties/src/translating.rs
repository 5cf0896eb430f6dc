//! The text that certificates are about says of requests what the policies say.
//!
//! [`crate::agreement`] asks our own evaluation of the terms; here `keyaki-verify` reads the text, so that what is compared with the
//! concrete evaluator is what a certificate is about, to the letter. Requests are drawn at random, and made of what policies and
//! formulas say (`keyaki_analysis::translation`).

use keyaki_analysis::encode;
use keyaki_analysis::translation::{Agreed, Mismatch, Tally, Translation, reader, text};
use keyaki_logic::{Cancel, Limits};
use serde_json::Value;

use crate::solving::TIMEOUT;
use crate::{NoCase, case};

/// Requests of each kind that are made for a case, beside those that are drawn.
const N_REQUESTS: usize = 24;

/// Compares on each request.
pub(crate) fn check(drawn: &Value) -> Result<Vec<&'static str>, NoCase> {
    let question = case::question(drawn)?;
    let mut encoding = encode(&question);
    let mut ask = reader(&text(&encoding)).expect("what we write can be read");
    let translation = Translation::new(&question, &encoding);
    let fail = |mismatch: Box<Mismatch>| -> ! {
        panic!("{mismatch:?}: {}", case::texts(drawn).join("\n"))
    };
    let mut outcomes = Vec::new();
    for tried in case::list(drawn, "tries")? {
        let (request, readings) = (case::request(&tried["request"])?, case::readings(tried)?);
        if translation.is_mentioned(&request) {
            let agreed =
                translation.compare(&request, readings, &mut ask).unwrap_or_else(|m| fail(m));
            outcomes.push(match agreed {
                Agreed::Breaks => "breaks",
                Agreed::DoesNotBreak => "does not break",
                Agreed::Hangs => "hangs",
                Agreed::IsTooLong => "too long",
                Agreed::HasNoModel | Agreed::CannotHappen => "cannot happen",
            });
        }
    }
    let options = keyaki_analysis::Options::default();
    let free = encoding.decide(&options.decisions);
    let mut ask = reader(&text(&encoding)).expect("what we write can be read");
    let limits = Limits::within(TIMEOUT);
    let validated = Translation::new(&question, &encoding).validate(
        &options,
        &free,
        N_REQUESTS,
        &limits,
        &Cancel::new(),
        &mut ask,
    );
    let Tally { n_breaking, n_harmless, n_impossible, .. } =
        validated.unwrap_or_else(|mismatch| fail(mismatch));
    for (n, outcome) in [
        (n_breaking, "made to break"),
        (n_harmless, "made not to break"),
        (n_impossible, "made to be impossible"),
    ] {
        outcomes.extend((n > 0).then_some(outcome));
    }
    Ok(outcomes)
}
