//! Writes `crates/policy/src/catalogue/*.txt` from the service reference and `by_hand.txt`.
//!
//! The reference is a scrape of AWS's pages, so it has no global keys to speak of and some wrong
//! types; `catalogue/by_hand.txt` supplies the first and overrides the second. Where services of
//! the reference disagree on a key, the service that the key is named after is believed, else the
//! first in alphabetical order. Every disagreement is printed.
//!
//! The output is text with one name a line, because it is read by binary search (see
//! `keyaki_policy::catalogue`) and reviewed as a diff. Grouping actions by service would save a
//! third of its size, but then no action would be a slice of the text.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

const BY_HAND: &str = include_str!("catalogue/by_hand.txt");
const REFERENCE: &str = "corpus/service_reference/service_reference.json";
const LICENCE: &str = "corpus/service_reference/LICENSE.txt";

/// Runs the chore. `--check` compares the checked-in files instead of writing them.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        [other, ..] => return Err(format!("`catalogue` has no argument `{other}`")),
    };
    let Some(generated) = generate_from_shared()? else {
        eprintln!("SKIPPED: {REFERENCE} is not beside this working copy; nothing compared");
        return if check { Ok(()) } else { Err("no reference to generate from".to_owned()) };
    };
    for note in &generated.notes {
        println!("note: {note}");
    }
    if check {
        return compare(&generated);
    }
    for (name, text) in &generated.files {
        fs::write(folder().join(name), text)
            .map_err(|error| format!("cannot write `{name}`: {error}"))?;
        println!("{name}: {} lines, {} KiB", text.lines().count(), text.len().div_ceil(1024));
    }
    Ok(())
}

/// What the chore writes, and what a reviewer should know of it.
struct Generated {
    /// Name in [`folder`] and content.
    files: Vec<(&'static str, String)>,
    notes: Vec<String>,
}

fn folder() -> PathBuf {
    crate::root().join("crates/policy/src/catalogue")
}

/// None if the data is not beside the working copy.
fn generate_from_shared() -> Result<Option<Generated>, String> {
    let (Some(reference), Some(licence)) = (crate::shared(REFERENCE), crate::shared(LICENCE))
    else {
        return Ok(None);
    };
    let read = |path: PathBuf| {
        fs::read_to_string(&path)
            .map_err(|error| format!("cannot read `{}`: {error}", path.display()))
    };
    let reference = serde_json::from_str(&read(reference)?)
        .map_err(|error| format!("`{REFERENCE}` is not JSON: {error}"))?;
    let mut generated = generate(&reference, BY_HAND)?;
    generated.files.push(("LICENSE.txt", read(licence)?));
    Ok(Some(generated))
}

fn compare(generated: &Generated) -> Result<(), String> {
    let stale: Vec<&str> = generated
        .files
        .iter()
        .filter(|(name, text)| {
            fs::read_to_string(folder().join(name)).ok().as_deref() != Some(text)
        })
        .map(|(name, _)| *name)
        .collect();
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!(
        "stale in crates/policy/src/catalogue: {}\nhint: these files are generated; change \
         xtask/src/catalogue/by_hand.txt if you must, run `cargo xtask catalogue` and commit \
         what it writes",
        stale.join(", ")
    ))
}

/// The three tables. Fails on a reference that is not shaped as expected, because a table with
/// holes would quietly make answers vaguer.
fn generate(reference: &Value, by_hand: &str) -> Result<Generated, String> {
    let text = |field: &str| {
        reference[field].as_str().ok_or(format!("the reference has no text field `{field}`"))
    };
    let source = Source { name: text("source")?, date: text("date")? };
    let services = reference["services"].as_object().ok_or("the reference has no `services`")?;

    let mut notes = Vec::new();
    let mut actions = BTreeMap::new();
    let mut candidates: BTreeMap<String, Vec<Candidate>> = BTreeMap::new();
    for (service, facts) in services {
        collect_actions(service, facts, &mut actions)?;
        collect_keys(service, facts, &mut candidates)?;
    }
    let mut keys: BTreeMap<String, (String, String)> =
        candidates.into_iter().map(|(lower, found)| (lower, believe(&found, &mut notes))).collect();
    apply_by_hand(by_hand, &mut keys, &mut notes)?;

    let (templates, keys): (Vec<_>, Vec<_>) =
        keys.into_values().partition(|(name, _)| name.contains('*'));
    let line = |(name, kind): (String, String)| format!("{name} {kind}\n");
    Ok(Generated {
        files: vec![
            (
                "actions.txt",
                source.header(ACTIONS_FORMAT) + &actions.into_values().collect::<String>(),
            ),
            (
                "keys.txt",
                source.header(KEYS_FORMAT) + &keys.into_iter().map(line).collect::<String>(),
            ),
            (
                "key_templates.txt",
                source.header(TEMPLATES_FORMAT)
                    + &templates.into_iter().map(line).collect::<String>(),
            ),
        ],
        notes,
    })
}

const ACTIONS_FORMAT: &str = "\
One action a line, sorted by lower-case bytes. A ` *` after the name: the action has no resource
type, so that it applies to `\"Resource\": \"*\"` only.";
const KEYS_FORMAT: &str = "\
One condition key a line, sorted by lower-case bytes: name and kind, `[]` if it has many values.";
const TEMPLATES_FORMAT: &str = "\
One condition key with a variable part (`*`) a line, sorted by lower-case bytes: template and kind,
`[]` if it has many values. A `*` in front stands for the host and path of an issuer.";

struct Source<'a> {
    name: &'a str,
    date: &'a str,
}

impl Source<'_> {
    /// Comment lines that open a generated file; `version` is read by `catalogue::version`.
    fn header(&self, format: &str) -> String {
        let Source { name, date } = self;
        let version = name.rsplit(' ').next().unwrap_or(name);
        let text = format!(
            "@generated by cargo xtask catalogue\nversion {version} of {date}\n\
             Source: npm package {name}, data of {date}:\n\
             facts of the AWS Service Authorization Reference. Copyright (c) 2024 Act Security,\n\
             MIT licence; see LICENSE.txt beside this file.\n\
             Condition keys also from xtask/src/catalogue/by_hand.txt.\n{format}"
        );
        text.lines().map(|line| format!("# {line}\n")).collect()
    }
}

/// What one service says of a key.
struct Candidate {
    service: String,
    name: String,
    kind: String,
}

fn collect_actions(
    service: &str,
    facts: &Value,
    actions: &mut BTreeMap<String, String>,
) -> Result<(), String> {
    let listed = facts["actions"].as_object().ok_or(format!("`{service}` has no `actions`"))?;
    for (action, facts) in listed {
        let name = well_formed(&format!("{service}:{action}"))?;
        let resources =
            facts["resources"].as_array().ok_or(format!("`{name}` has no `resources`"))?;
        let mark = if resources.is_empty() { " *" } else { "" };
        let line = format!("{name}{mark}\n");
        if let Some(other) = actions.insert(name.to_ascii_lowercase(), line) {
            return Err(format!("`{name}` and `{}` differ only in case", other.trim_end()));
        }
    }
    Ok(())
}

fn collect_keys(
    service: &str,
    facts: &Value,
    candidates: &mut BTreeMap<String, Vec<Candidate>>,
) -> Result<(), String> {
    let listed = facts["condition_keys"]
        .as_object()
        .ok_or(format!("`{service}` has no `condition_keys`"))?;
    for (key, facts) in listed {
        let name = well_formed(&template(key))?;
        let kind = match facts["type"].as_str() {
            Some("String") => "string",
            Some("ArrayOfString") => "string[]",
            Some("ARN") => "arn",
            Some("ArrayOfARN") => "arn[]",
            Some("Bool") => "bool",
            Some("ArrayOfBool") => "bool[]",
            Some("Numeric") => "number",
            Some("Date") => "date",
            Some("IPAddress") => "address",
            other => {
                return Err(format!(
                    "`{key}` of `{service}` has the unknown type `{}`\nhint: map it in \
                     xtask/src/catalogue.rs",
                    other.unwrap_or("null")
                ));
            }
        };
        let candidate = Candidate { service: service.to_owned(), name, kind: kind.to_owned() };
        candidates.entry(candidate.name.to_ascii_lowercase()).or_default().push(candidate);
    }
    Ok(())
}

/// A key with its variable part, if any, as `*`. The reference writes that part as `${TagKey}`,
/// `<key>` or `tag-key`, or ends with the slash before it.
fn template(key: &str) -> String {
    for (open, close) in [("${", '}'), ("<", '>')] {
        if let Some((before, rest)) = key.split_once(open)
            && let Some((_, after)) = rest.split_once(close)
        {
            return format!("{before}*{after}");
        }
    }
    match key.strip_suffix("tag-key").unwrap_or(key) {
        before if before.ends_with('/') => format!("{before}*"),
        _ => key.to_owned(),
    }
}

/// The name itself if the readers of the tables can rely on it: printable ASCII, no space, a
/// colon, at most one variable part.
fn well_formed(name: &str) -> Result<String, String> {
    let sound = name.bytes().all(|byte| byte.is_ascii_graphic())
        && name.contains(':')
        && !name.contains(['$', '{', '}', '<', '>', '#'])
        && name.matches('*').count() <= 1;
    if sound { Ok(name.to_owned()) } else { Err(format!("`{name}` is not a name we can store")) }
}

/// The spelling and kind to believe, by the rule in the comment of this module.
fn believe(found: &[Candidate], notes: &mut Vec<String>) -> (String, String) {
    let owner = |candidate: &&Candidate| {
        candidate.name.strip_prefix(&candidate.service).is_some_and(|rest| rest.starts_with(':'))
    };
    let believed = found
        .iter()
        .find(owner)
        .or_else(|| found.iter().min_by_key(|candidate| &candidate.service))
        .expect("an entry is made with its first candidate");
    for other in found {
        if (&other.name, &other.kind) != (&believed.name, &believed.kind) {
            notes.push(format!(
                "`{}` lists `{}` as {}, `{}` lists `{}` as {}: the first is believed",
                believed.service,
                believed.name,
                believed.kind,
                other.service,
                other.name,
                other.kind
            ));
        }
    }
    (believed.name.clone(), believed.kind.clone())
}

fn apply_by_hand(
    by_hand: &str,
    keys: &mut BTreeMap<String, (String, String)>,
    notes: &mut Vec<String>,
) -> Result<(), String> {
    const SORTS: [&str; 7] = ["string", "arn", "number", "date", "bool", "address", "binary"];
    for line in by_hand.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let row = line
            .split_once(' ')
            .filter(|(_, kind)| SORTS.contains(&kind.strip_suffix("[]").unwrap_or(kind)));
        let Some((name, kind)) = row else {
            return Err(format!(
                "`{line}` is no row of by_hand.txt\nhint: write `KEY KIND` or `KEY KIND[]`, where \
                 KIND is one of {}",
                SORTS.join(", ")
            ));
        };
        let name = well_formed(name)?;
        let row = (name.clone(), kind.to_owned());
        if let Some((old_name, old_kind)) = keys.insert(name.to_ascii_lowercase(), row)
            && (&old_name, old_kind.as_str()) != (&name, kind)
        {
            notes.push(format!(
                "by_hand.txt lists `{name}` as {kind}, the reference `{old_name}` as {old_kind}: \
                 the first is believed"
            ));
        }
    }
    Ok(())
}
