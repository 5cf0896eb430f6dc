//! The page as a browser shows it.
//!
//! A browser is not required: where none is there, the test says so and what the script needs is still looked for in the
//! page. To require one everywhere would be half a gigabyte for each machine that tests.
#![allow(clippy::print_stderr, reason = "what is skipped is said")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use regex::Regex;

use crate::world::World;

const SCRIPT: &str = include_str!("../../src/report/page.js");
const PAGE: &str = include_str!("../../src/report/page.html");

/// Names of programs that are a browser which can be asked for what it makes of a page.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// How long a browser may take, in seconds.
const BROWSER_S: &str = "300";

fn is_there(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The page with what its script has made of it, at an address that ends so.
fn shown(world: &World, browser: &str, address: &str) -> String {
    let page = world.folder.join("out/report.html");
    let output = Command::new("timeout")
        .args([BROWSER_S, browser, "--headless=new", "--no-sandbox", "--disable-gpu"])
        .arg(format!("--user-data-dir={}", world.folder.join("browser").display()))
        // The clock of the page, which runs ahead while nothing is to be done.
        .args(["--virtual-time-budget=20000", "--dump-dom"])
        .arg(format!("file://{}{address}", page.display()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_page_filters_its_table_pales_its_dots_and_shows_the_query() {
    let Some(browser) = BROWSERS.into_iter().find(|browser| is_there(browser)) else {
        eprintln!(
            "SKIPPED: no browser, none of {BROWSERS:?}; install with `apt-get install chromium`"
        );
        return;
    };
    let scripts = [
        ("easy", "(check-sat) ; easy"),
        ("b", "(check-sat) ; slow, and </script> & {{data}} in it"),
        ("c{{bundles}}", "(set-info :status sat)(check-sat)"),
    ];
    let world = World::new(&scripts, &[("old", "old"), ("new", "new")]);
    let record = world.measure(&[]);
    let words = ["report", "record.csv", "--suite", "suite", "--out", "out", "--pair", "old,new"];
    assert!(world.run(&words).status.success());
    let row = record.rows.iter().find(|row| row.outcome.to_string() == "silent").unwrap();
    let id = row.query.as_str();

    let whole = shown(&world, browser, "");
    let n = |text: &str, what: &str| text.matches(what).count();
    assert_eq!(n(&whole, "<tr tabindex"), 3, "{whole}");
    assert!(whole.contains("3 of 3 queries") && n(&whole, "class=\"out\"") == 0, "{whole}");
    assert!(whole.contains("<aside id=\"detail\" hidden"), "{whole}");

    let part = shown(&world, browser, &format!("#class=lost&query={id}"));
    assert_eq!(n(&part, "<tr tabindex"), 1, "{part}");
    assert!(part.contains("1 of 3 queries") && part.contains(">lost</td>"), "{part}");
    // Two of three dots are pale, the third is that of the row.
    assert_eq!((n(&part, "class=\"out\""), n(&part, "class=\"chosen\"")), (2, 2), "{part}");
    assert!(!part.contains("<aside id=\"detail\" hidden"), "{part}");
    assert!(part.contains("<h2 id=\"name\">b.smt2</h2>"), "{part}");
    let text = "(check-sat) ; slow, and &lt;/script&gt; &amp; {{data}} in it</pre>";
    assert!(part.contains(text), "{part}");

    let none = shown(&world, browser, "#known=unsat");
    assert!(n(&none, "<tr tabindex") == 0 && none.contains("0 of 3 queries"), "{none}");
}

#[test]
fn a_script_is_one() {
    if !is_there("node") {
        eprintln!("SKIPPED: no node, which could tell whether the script of the page is one");
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/page.js");
    let output = Command::new("node").arg("--check").arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_page_has_every_element_that_its_script_asks_for() {
    let found = |pattern: &str, text: &str| -> BTreeSet<String> {
        let pattern = Regex::new(pattern).unwrap();
        pattern.captures_iter(text).map(|captures| captures[1].to_owned()).collect()
    };
    let asked = found(r#"\b(?:element|options?)\("([a-z]+)""#, SCRIPT);
    let there = found(r#" id="([a-z]+)""#, PAGE);
    assert!(asked.len() > 8, "{asked:?}");
    assert_eq!(asked.difference(&there).collect::<Vec<_>>(), Vec::<&String>::new());
}
