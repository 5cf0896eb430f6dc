//! A record as one page of HTML that needs nothing else: ranking, plots, and every query with its text.
//!
//! The plots are drawn here, the page only makes them answer: a click on a dot, or on a row of the table, shows
//! the query with what each solver made of it. Scripts are compressed in bundles, which the browser unpacks by
//! itself, so that a page with two thousand of them can still be sent by mail.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};

use crate::compare::{Class, Clock, Comparison};
use crate::plot::{self, svg};
use crate::rank;
use crate::suite::{Features, Query, STANDARD, Suite};
use crate::table::Table;
use crate::tiers::TIERS;

const PAGE: &str = include_str!("report/page.html");
const SCRIPT: &str = include_str!("report/page.js");
const STYLE: &str = include_str!("report/page.css");

/// How much text a bundle of scripts has, in bytes.
const BUNDLE_BYTES: usize = 1 << 18;

/// How long a script may be to be in the page, in bytes.
const SCRIPT_BYTES_MAX: usize = 1 << 16;

/// How many bytes of a page scripts may be, compressed. What is left out is named by its file.
pub const SCRIPTS_BYTES_MAX: usize = 1 << 19;

/// What the page says, beside the table.
pub struct Page<'a> {
    /// Its title.
    pub title: &'a str,
    /// Everything that was measured.
    pub table: &'a Table,
    /// The suite, for names and texts.
    pub suite: Option<&'a Suite>,
    /// What the suite knows of answers.
    pub status: &'a BTreeMap<String, String>,
    /// The pairs that are compared.
    pub comparisons: &'a [Comparison<'a>],
    /// The contestants that are ranked, in groups of those that were asked the same queries.
    pub groups: &'a [Vec<usize>],
    /// Which time counts.
    pub clock: Clock,
}

/// The page.
///
/// # Errors
///
/// A script is not what the suite says.
pub fn html(page: &Page<'_>) -> Result<String, String> {
    let queries: BTreeMap<&str, &Query> = page
        .suite
        .iter()
        .flat_map(|suite| &suite.queries)
        .map(|query| (query.id.as_str(), query))
        .collect();
    let (bundles, places) = bundles(page, &queries)?;
    let data = data(page, &queries, &places);
    // A script element ends at the first `</`, wherever it stands; and what is put in must not be taken for a place.
    let embedded = |value: Value| value.to_string().replace("</", "<\\/").replace("{{", "{\\u007b");
    Ok(PAGE
        .replace("{{title}}", &svg::escaped(page.title).replace("{{", "{&#123;"))
        .replace("{{style}}", STYLE)
        .replace("{{body}}", &body(page).replace("{{", "{&#123;"))
        .replace("{{clock}}", page.clock.words())
        .replace("{{data}}", &embedded(data))
        .replace("{{bundles}}", &embedded(json!(bundles)))
        .replace("{{script}}", SCRIPT))
}

/// What was measured, where and when, in words.
pub fn facts(table: &Table) -> String {
    let list = |set: &std::collections::BTreeSet<String>| {
        set.iter().cloned().collect::<Vec<_>>().join("; ")
    };
    let mut text = format!(
        "suite {}: {} queries, {} runs\n{}\nmachine: {}\nload before a run: median {:.1}, largest {:.1} processors\n",
        table.suite,
        table.queries.len(),
        table.n_rows,
        list(&table.harnesses),
        list(&table.machines),
        table.load.0,
        table.load.1
    );
    for (contestant, start) in table.contestants.iter().zip(&table.starts) {
        let start =
            start.map_or("not measured".to_owned(), |start| format!("{:.1} ms", start * 1e3));
        let _ =
            writeln!(text, "{} (setup {}): start {start}", contestant.label(), contestant.setup);
    }
    text
}

fn body(page: &Page<'_>) -> String {
    let mut body = format!("<pre>{}</pre>\n", svg::escaped(&facts(page.table)));
    for group in page.groups {
        let (ranks, n) = rank::rank(page.table, group, page.status, page.clock);
        let cactus = svg(&plot::cactus(page.table, group, page.clock));
        let _ = writeln!(
            body,
            "<section><h2>Ranking</h2><div class=\"pair\"><div class=\"plot\">{cactus}</div><pre>{}</pre></div></section>",
            svg::escaped(&rank::text(&ranks, n))
        );
    }
    for comparison in page.comparisons {
        let _ = writeln!(
            body,
            "<section><h2>{} to {}</h2><div class=\"pair\"><div class=\"plot\">{}</div><pre>{}</pre></div></section>",
            svg::escaped(&comparison.old),
            svg::escaped(&comparison.new),
            svg(&plot::scatter(comparison)),
            svg::escaped(&comparison.text())
        );
    }
    body
}

/// Scripts, packed; and of each query the bundle and the place in it.
type Bundles = (Vec<String>, BTreeMap<String, (usize, usize)>);

/// The scripts in bundles.
fn bundles(page: &Page<'_>, queries: &BTreeMap<&str, &Query>) -> Result<Bundles, String> {
    let (mut bundles, mut places) = (Vec::new(), BTreeMap::new());
    let Some(suite) = page.suite else { return Ok((bundles, places)) };
    // What differs most is what is looked at; then neighbours of one family, which compress well together.
    let mut order: Vec<(u8, &str, &Query)> = page
        .table
        .queries
        .keys()
        .filter_map(|id| queries.get(id.as_str()))
        .map(|query| {
            let of_query = page.comparisons.iter().flat_map(|comparison| &comparison.pairs);
            let class = of_query.filter(|pair| pair.query == query.id).map(|pair| pair.class).min();
            (class.map_or(u8::MAX, |class| class as u8), query.family.as_str(), *query)
        })
        .collect();
    order.sort_by_key(|(class, family, query)| (*class, *family, &query.id));
    let mut waiting: Vec<String> = Vec::new();
    let (mut n_waiting, mut n_all) = (0, 0);
    for (_, _, query) in order {
        let Some(script) = query.scripts.get(STANDARD) else { continue };
        let text = suite.text(script)?;
        if text.len() > SCRIPT_BYTES_MAX || n_all > SCRIPTS_BYTES_MAX {
            continue;
        }
        places.insert(query.id.clone(), (bundles.len(), waiting.len()));
        n_waiting += text.len();
        waiting.push(text);
        if n_waiting > BUNDLE_BYTES {
            let bundle = packed(&waiting)?;
            n_all += bundle.len();
            bundles.push(bundle);
            waiting.clear();
            n_waiting = 0;
        }
    }
    if !waiting.is_empty() {
        bundles.push(packed(&waiting)?);
    }
    Ok((bundles, places))
}

fn packed(texts: &[String]) -> Result<String, String> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    let text = json!(texts).to_string();
    let bytes = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    Ok(BASE64.encode(bytes.map_err(|error| error.to_string())?))
}

fn data(
    page: &Page<'_>,
    queries: &BTreeMap<&str, &Query>,
    places: &BTreeMap<String, (usize, usize)>,
) -> Value {
    let rows: Vec<Value> = page
        .table
        .queries
        .iter()
        .map(|(id, cells)| {
            let query = queries.get(id.as_str());
            let of_query = page.status.get(id).map(String::as_str);
            let status = page.table.status(id, of_query);
            let cells: Vec<Value> = cells
                .iter()
                .map(|cell| match cell {
                    None => Value::Null,
                    Some(cell) => json!([
                        cell.word,
                        (cell.wall_s * 1e6).round() as u64,
                        (cell.cpu_s * 1e6).round() as u64,
                        cell.peak_bytes >> 20,
                        cell.n_solved,
                        cell.n_runs,
                    ]),
                })
                .collect();
            let classes: Vec<&str> = page
                .comparisons
                .iter()
                .map(|comparison| {
                    let at = comparison.pairs.binary_search_by(|pair| pair.query.cmp(id));
                    at.map_or("", |at| comparison.pairs[at].class.word())
                })
                .collect();
            json!({
                "id": id,
                "name": query.map_or("", |query| query.name.as_str()),
                "family": query.map_or("", |query| query.family.as_str()),
                "status": status.map(|(answer, by)| {
                    let by = query.and_then(|query| query.status_by.as_deref()).filter(|_| by == "suite").unwrap_or(by);
                    format!("{answer}, {by}")
                }),
                "tier": query.and_then(|query| query.tier.as_deref()),
                "features": query.map(|query| query.features.values()),
                "file": query.and_then(|query| query.scripts.get(STANDARD)).map(|script| &script.file),
                "cells": cells,
                "classes": classes,
                "place": places.get(id),
            })
        })
        .collect();
    json!({
        "contestants": (0..page.table.contestants.len()).map(|at| page.table.label(at)).collect::<Vec<_>>(),
        "classes": Class::ALL.map(Class::word),
        "tiers": TIERS.map(|(tier, _)| tier),
        "pairs": page.comparisons.iter().map(|pair| format!("{} to {}", pair.old, pair.new)).collect::<Vec<_>>(),
        "members": page.comparisons.iter().map(|pair| {
            let place = |label: &String| {
                (0..page.table.contestants.len()).find(|at| page.table.label(*at) == *label)
            };
            [place(&pair.old), place(&pair.new)]
        }).collect::<Vec<_>>(),
        "features": Features::NAMES,
        "clock": match page.clock { Clock::Wall => 1, Clock::Cpu => 2 },
        "queries": rows,
    })
}
