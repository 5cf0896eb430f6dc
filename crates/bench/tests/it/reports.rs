//! What is made of a record.

use crate::world::World;

fn world() -> World {
    let scripts = [
        ("easy", "(check-sat) ; easy"),
        ("b", "(check-sat) ; slow"),
        ("c", "(set-info :status sat)(check-sat)"),
    ];
    let world = World::new(&scripts, &[("old", "old"), ("new", "new")]);
    world.measure(&[]);
    world
}

fn said(world: &World, words: &[&str], status: i32) -> String {
    let output = world.run(words);
    assert_eq!(output.status.code(), Some(status), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_page_needs_nothing_else_and_has_every_query() {
    let world = world();
    let words = ["report", "record.csv", "--suite", "suite", "--out", "out", "--pair", "old,new"];
    assert_eq!(said(&world, &words, 0), "out/report.html\n");
    let page = std::fs::read_to_string(world.folder.join("out/report.html")).unwrap();
    assert!(!page.contains("{{") && !page.contains("src=") && !page.contains("@import"));
    assert_eq!(page.matches("<circle").count(), 3);
    assert!(page.contains("easy.smt2") && page.contains("\"lost\""), "{page}");
    for name in
        ["scatter-old@1.0-new@1.0.svg", "scatter-old@1.0-new@1.0.png", "cactus.svg", "cactus.png"]
    {
        assert!(world.folder.join("out").join(name).is_file(), "{name}");
    }
}

#[test]
fn a_check_is_about_answers_and_not_about_times() {
    let world = world();
    assert_eq!(
        said(&world, &["check", "record.csv", "--suite", "suite"], 0),
        "3 queries, 0 faults\n"
    );
    let wrong = World::new(
        &[("c", "(set-info :status unsat)(check-sat)")],
        &[("old", "old"), ("new", "crashes")],
    );
    wrong.measure(&[]);
    let text = said(&wrong, &["check", "record.csv", "--suite", "suite"], 1);
    assert!(text.contains("old@1.0: sat where unsat (suite) is known"), "{text}");
    assert!(text.contains("new@1.0: signal where"), "{text}");
}

#[test]
fn a_plan_says_from_which_record_it_is() {
    let world = world();
    said(&world, &["learn", "record.csv", "--out", "plan.toml"], 0);
    let plan = std::fs::read_to_string(world.folder.join("plan.toml")).unwrap();
    assert!(plan.contains("from record.csv:\n# suite ") && plan.contains("first = "), "{plan}");
}

#[test]
fn tiers_are_of_the_slowest_and_change_no_hash() {
    let world = world();
    let words = ["tiers", "record.csv", "--suite", "suite"];
    let text = said(&world, &words, 0);
    assert!(text.contains("huge           1"), "{text}");
    let list = [
        "measure",
        "--suite",
        "suite",
        "--solvers",
        "solvers.toml",
        "--record",
        "record.csv",
        "--tier",
        "huge",
        "--list",
    ];
    assert!(said(&world, &list, 0).ends_with("b.smt2\n"));
}

#[test]
fn a_query_is_made_smaller_while_the_gap_stays() {
    // The fake is slow where the script has the word `slow`, here a text that shall survive.
    let query = "(declare-const x String)(declare-const y String)\n\
                 (assert (= y \"other\"))(assert (and (= x \"slow\") (= y \"b\") (= y \"c\")))(assert (= y y))(check-sat)";
    let world = World::new(&[("q", query)], &[("old", "old"), ("new", "new")]);
    let words =
        ["explain", "suite/q.smt2", "--solvers", "solvers.toml", "--old", "old", "--new", "new"];
    let text = said(&world, &words, 0);
    let smaller = std::fs::read_to_string(world.folder.join("explained.smt2")).unwrap();
    assert!(
        smaller.contains("slow") && !smaller.contains("other") && smaller.len() < 90,
        "{smaller}"
    );
    assert!(text.contains("new@1.0: silent (walltime)"), "{text}");
}

#[test]
fn without_a_gap_there_is_nothing_to_explain() {
    let world = world();
    let words =
        ["explain", "suite/easy.smt2", "--solvers", "solvers.toml", "--old", "old", "--new", "new"];
    let output = world.run(&words);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("there is no gap"));
}
