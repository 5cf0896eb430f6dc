//! Makes a case smaller that breaks a property.
//!
//! A case is taken apart as JSON: without this member, without that element, with half of this
//! text. What still breaks the property is kept, until nothing can be left out or the limit is
//! reached. Nothing here knows what a policy is; what is no case any more does not break.

use serde_json::Value;

/// The most smaller cases that are tried. Each costs one check.
pub const MAX_TRIES: usize = 3_000;

/// A smallest case that still breaks: `breaks` is true of it, and not of what is one step smaller,
/// unless the limit was reached.
pub fn shrink(case: &Value, mut breaks: impl FnMut(&Value) -> bool) -> Value {
    let mut smallest = case.clone();
    let mut tries = 0;
    loop {
        let before = smallest.clone();
        let mut at = 0;
        // Places are numbered from the outside in, so that what is large goes first.
        while let Some(smaller) = without(&smallest, at) {
            tries += 1;
            if tries > MAX_TRIES {
                return smallest;
            }
            if smaller != smallest && breaks(&smaller) {
                smallest = smaller;
            } else {
                at += 1;
            }
        }
        // What was needed when it was tried may be needless now.
        if smallest == before {
            return smallest;
        }
    }
}

/// The value without what stands at this place, counted level by level; none if there are not so
/// many places.
fn without(value: &Value, place: usize) -> Option<Value> {
    let mut copy = value.clone();
    let mut left = place;
    let mut depth = 1;
    loop {
        let before = left;
        if remove(&mut copy, depth, &mut left) {
            return Some(copy);
        }
        if before == left && !has_depth(value, depth) {
            return None;
        }
        depth += 1;
    }
}

/// Removes the place numbered `left` of those that are `depth` steps down, or counts them off.
fn remove(value: &mut Value, depth: usize, left: &mut usize) -> bool {
    if depth > 1 {
        return match value {
            Value::Object(members) => {
                members.iter_mut().any(|(_, member)| remove(member, depth - 1, left))
            }
            Value::Array(elements) => {
                elements.iter_mut().any(|element| remove(element, depth - 1, left))
            }
            _ => false,
        };
    }
    let n = match value {
        Value::Object(members) => members.len(),
        Value::Array(elements) => elements.len(),
        Value::String(text) => cuts(text.chars().count()).len(),
        _ => 0,
    };
    if *left >= n {
        *left -= n;
        return false;
    }
    match value {
        Value::Object(members) => {
            let key = members.keys().nth(*left).cloned().unwrap_or_default();
            members.shift_remove(&key);
        }
        Value::Array(elements) => drop(elements.remove(*left)),
        Value::String(text) => *text = cut(text, *left),
        _ => {}
    }
    true
}

/// Pieces of these parts of a text are left out, and single characters of a text so short.
const PARTS: [usize; 5] = [2, 4, 8, 16, 32];
const MAX_CHARS_ONE_BY_ONE: usize = 80;

/// The pieces that are left out of a text of so many characters, each from where to where.
fn cuts(n_chars: usize) -> Vec<(usize, usize)> {
    let mut sizes: Vec<usize> =
        PARTS.iter().map(|n| n_chars / n).filter(|size| *size > 1).collect();
    if n_chars <= MAX_CHARS_ONE_BY_ONE {
        sizes.push(1);
    }
    let pieces = |size: usize| (0..n_chars).step_by(size).map(move |from| (from, from + size));
    sizes.into_iter().flat_map(pieces).map(|(from, to)| (from, to.min(n_chars))).collect()
}

/// The text without one of its pieces.
fn cut(text: &str, way: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    let Some((from, to)) = cuts(chars.len()).get(way).copied() else { return text.to_owned() };
    chars[..from].iter().chain(&chars[to..]).collect()
}

fn has_depth(value: &Value, depth: usize) -> bool {
    if depth == 0 {
        return true;
    }
    match value {
        Value::Object(members) => members.values().any(|member| has_depth(member, depth - 1)),
        Value::Array(elements) => elements.iter().any(|element| has_depth(element, depth - 1)),
        Value::String(_) => depth == 1,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(case: Value, expected: Value, breaks: impl Fn(&Value) -> bool) {
        assert!(breaks(&case));
        assert_eq!(shrink(&case, breaks), expected);
    }

    #[test]
    fn what_does_not_matter_is_left_out() {
        let case = json!({"a": [1, {"b": "xyz", "c": [true]}, 3], "d": {"e": "f"}});
        check(case.clone(), json!({"a": [3]}), |case| {
            case["a"].as_array().is_some_and(|a| a.contains(&json!(3)))
        });
        check(case.clone(), json!({"a": [{"b": "y"}]}), |case| case.to_string().contains('y'));
        check(case, json!({}), |_| true);
    }

    #[test]
    fn a_text_is_cut_down_to_what_matters() {
        let case = json!({"text": "a long text with a needle in it, and more"});
        let breaks = |case: &Value| case["text"].as_str().is_some_and(|t| t.contains("needle"));
        check(case, json!({"text": "needle"}), breaks);
    }

    #[test]
    fn a_value_has_as_many_places_as_it_can_be_made_smaller() {
        let value = json!({"a": ["b", 1]});
        let smaller: Vec<_> = (0..).map_while(|place| without(&value, place)).collect();
        let expected = [json!({}), json!({"a": [1]}), json!({"a": ["b"]}), json!({"a": ["", 1]})];
        assert_eq!(smaller, expected);
        assert_eq!(without(&json!(1), 0), None);
    }
}
