//! The loop that looks for the rows of findings: which combinations of patterns some request breaks the property in, and which
//! rows suffice.
//!
//! Each cell is asked for the combinations that are open in it, largest first. What the solver finds becomes a request that is
//! replayed; the concrete evaluator says which patterns it matches, and so in which combinations it is. That rows cover
//! everything is asked cell by cell: what comes through the cell and is of no row.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use keyaki_logic::{Cancel, Limits, Reason, Solver, Term, simplify};
use keyaki_policy::ast::Statement;
use keyaki_policy::evaluate::Truth;
use keyaki_policy::request::Request;
use keyaki_policy::{Readings, Switch};

use super::addresses::{self, Counted};
use super::{Error, Evidence, Options, Run, Setting, Verdict, Witness, readings};
use crate::encode::{Cell, Encoding, Placed, Unsupported, encode_with_patterns};
use crate::findings::cover;
use crate::findings::lattice::{self, Lattice, Pattern, Tuple};
use crate::findings::{Cause, Coverage, Findings, Row, Wanted};
use crate::public::Table;
use crate::question::{PolicyRef, Question};

/// The most combinations of patterns that one statement is asked for. With more of them it is a row as it stands.
const MAX_TUPLES: usize = 4_096;

/// From so many combinations on, patterns that are impossible in a cell are left out first.
const PRUNE_ABOVE: usize = 64;

/// From so many patterns of one dimension on, a request is looked for that matches all of them.
const MEET_FROM: usize = 3;

/// The most rows of which a short list is chosen.
const MAX_ROWS: usize = 20_000;

/// How often the choice of rows is revised; then all of them are taken.
const MAX_CHOICES: usize = 64;

/// Rows that cover everything that breaks a property: the fewest, or all precise ones.
///
/// # Errors
///
/// See [`super::check()`].
pub fn findings(
    question: &Question,
    wanted: Wanted,
    solver: &dyn Solver,
    options: &Options,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Findings, Error> {
    let start = Instant::now();
    let base = readings::base(&options.decisions);
    let setting = Setting { solver, options, limits, cancel };
    let lattice = Lattice::of(question);
    let (mut encoding, terms) = encode_lattice(question, &lattice);
    let free = encoding.decide(&options.decisions);
    let mut run = Run::new(question, (&encoding, &free), base, &setting);
    // Whatever somebody wants of solvers: it is asked of the last query, which says that the rows suffice.
    run.simplify = true;
    let mut search = Search::new(&lattice, &terms, run);
    for cell in &encoding.cells {
        search.cell(cell)?;
    }
    let mut precise = search.maximal();
    search.run.simplify = options.simplify;
    let mut chosen = search.choose(&precise, wanted.all)?;
    // Beside statements that are rows, the choice may have shown rows that nothing had shown before.
    if !search.coarse.is_empty() && search.maximal() != precise {
        precise = search.maximal();
        chosen = search.choose(&precise, wanted.all)?;
    }
    let publics = match wanted.table {
        Some(table) => public_rows(question, table, &lattice, &chosen.rows, &setting)?,
        None => vec![None; chosen.rows.len()],
    };
    let mut groups: Vec<Group> = Vec::new();
    for (tuple, is_public) in chosen.rows.iter().zip(publics) {
        let mut cause = search.cause(tuple)?;
        if !free.is_empty() {
            cause = search.settled(cause, tuple, base, &free, &setting)?;
        }
        let nodes = tuple.iter().map(|node| vec![*node]).collect();
        groups.push(Group { nodes, cause, is_public });
    }
    for dimension in [lattice::ACTION, lattice::RESOURCE] {
        groups = merged(groups, dimension, &lattice);
    }
    let rows = groups.into_iter().map(|Group { nodes, cause, is_public }| Row {
        statement: lattice.statement(&nodes),
        cause,
        is_public,
    });
    let coarse = search.coarse.iter().map(|Coarse { statement, cause, .. }| Row {
        statement: statement.clone(),
        cause: cause.clone(),
        is_public: None,
    });
    Ok(Findings {
        rows: rows.chain(coarse).collect(),
        n_precise: precise.len() + search.coarse.len(),
        is_least: chosen.is_least && search.coarse.is_empty(),
        coverage: chosen.coverage,
        solver: search.run.decided_by,
        attempts: search.run.attempts,
        queries: search.run.queries,
        wall: start.elapsed(),
    })
}

/// The encoding of the question, and the term of each node of each dimension.
fn encode_lattice(question: &Question, lattice: &Lattice) -> (Encoding, Vec<Vec<Term>>) {
    let mut placed = Vec::new();
    for node in lattice.dimensions.iter().flat_map(|dimension| &dimension.nodes) {
        if let Some(&(at, statement)) = node.places.first() {
            placed.push(Placed { pattern: &node.pattern, at, statement });
        }
    }
    let (mut encoding, terms) = encode_with_patterns(question, &placed);
    let top = encoding.terms.bool(true);
    let mut terms = terms.into_iter();
    let mut term = |pattern: &Pattern| match pattern {
        Pattern::Any => top,
        _ => terms.next().unwrap_or(top),
    };
    let nodes = lattice
        .dimensions
        .iter()
        .map(|dimension| dimension.nodes.iter().map(|node| term(&node.pattern)).collect());
    let nodes = nodes.collect();
    (encoding, nodes)
}

/// A request that breaks the property, and what it matches.
struct Element {
    witness: Witness,
    under: Readings,
    /// For each dimension the nodes that it matches.
    matched: Vec<Vec<usize>>,
    /// Whether it has been made readable.
    is_polished: bool,
}

/// A row that is a statement as it stands.
struct Coarse {
    /// The statement of the cell, if it is about one.
    through: Option<(PolicyRef, usize)>,
    statement: Statement,
    /// True if and only if it matches the request.
    term: Term,
    cause: Cause,
}

/// Rows that were chosen, and whether they cover everything.
struct Chosen {
    rows: Vec<Tuple>,
    is_least: bool,
    coverage: Coverage,
}

struct Search<'a> {
    lattice: &'a Lattice,
    terms: &'a [Vec<Term>],
    run: Run<'a>,
    /// The combinations in which some request breaks the property, with a request of the combination; none if that is open.
    found: BTreeMap<Tuple, Result<usize, (Reason, Vec<Unsupported>)>>,
    elements: Vec<Element>,
    coarse: Vec<Coarse>,
}

impl<'a> Search<'a> {
    fn new(lattice: &'a Lattice, terms: &'a [Vec<Term>], run: Run<'a>) -> Search<'a> {
        Search {
            lattice,
            terms,
            run,
            found: BTreeMap::new(),
            elements: Vec::new(),
            coarse: Vec::new(),
        }
    }

    /// Finds the rows of a cell.
    fn cell(&mut self, cell: &Cell) -> Result<(), Error> {
        match self.ask(cell, cell.breaks)? {
            Verdict::Holds(_) => return Ok(()),
            Verdict::Unknown { reason, unsupported } => {
                self.whole(cell, Cause::Undecided { reason, unsupported });
                return Ok(());
            }
            Verdict::Fails(witness) => self.learn(witness),
        }
        // Only what is shown has to be readable.
        self.run.polishes = false;
        let taken_apart = self.take_apart(cell);
        self.run.polishes = true;
        taken_apart
    }

    /// Finds the rows of a cell through which some request comes.
    fn take_apart(&mut self, cell: &Cell) -> Result<(), Error> {
        let Some(open) = self.open(cell)? else {
            let witness =
                self.elements.last().map(|element| (element.witness.clone(), element.under));
            if let Some((witness, under)) = witness {
                self.whole(
                    cell,
                    Cause::Shown { witness: Box::new(witness), under, depends_on: Vec::new() },
                );
            }
            return Ok(());
        };
        self.meet(cell, &open)?;
        for tuple in Product::new(&open) {
            if self.is_known(&tuple) {
                continue;
            }
            let mut parts = vec![cell.breaks];
            parts.extend(self.reduced(&tuple));
            match self.ask_for(cell, parts)? {
                Verdict::Holds(_) => {}
                Verdict::Unknown { reason: Reason::Unsupported, unsupported } => {
                    self.found.insert(tuple, Err((Reason::Unsupported, unsupported)));
                }
                Verdict::Unknown { reason, unsupported } => {
                    // The others would not be found out either.
                    self.whole(cell, Cause::Undecided { reason, unsupported });
                    return Ok(());
                }
                Verdict::Fails(witness) => self.learn(witness),
            }
        }
        Ok(())
    }

    /// For each dimension the nodes that are open in the cell, larger ones first; none if there are too many combinations.
    fn open(&mut self, cell: &Cell) -> Result<Option<Vec<Vec<usize>>>, Error> {
        if self.lattice.is_cut {
            return Ok(None);
        }
        let mut open = Vec::new();
        for dimension in 0..self.lattice.dimensions.len() {
            let nodes = &self.lattice.dimensions[dimension].nodes;
            let mut order: Vec<usize> = (0..nodes.len()).collect();
            order.sort_by_key(|node| std::cmp::Reverse(nodes[*node].within.len()));
            let mut possible = Vec::new();
            for node in order {
                let mut parts = self.reduced_node(dimension, node);
                parts.push(cell.breaks);
                let both = self.run.scratch.and(parts);
                if !simplify::is_refuted(&mut self.run.scratch, both) {
                    possible.push(node);
                }
            }
            open.push(possible);
        }
        let n_tuples = |open: &[Vec<usize>]| {
            open.iter().fold(1usize, |product, nodes| product.saturating_mul(nodes.len().max(1)))
        };
        if n_tuples(&open) > PRUNE_ABOVE {
            for (dimension, nodes) in open.iter_mut().enumerate().filter(|(_, n)| n.len() > 1) {
                *nodes = self.possible(cell, dimension, nodes)?;
            }
        }
        Ok((n_tuples(&open) <= MAX_TUPLES).then_some(open))
    }

    /// The nodes of a dimension in which the cell has requests, or may have.
    fn possible(
        &mut self,
        cell: &Cell,
        dimension: usize,
        nodes: &[usize],
    ) -> Result<Vec<usize>, Error> {
        let mut possible = Vec::new();
        for &node in nodes {
            let is_seen = |element: &Element| {
                let matched = &element.matched[dimension];
                let within = &self.lattice.dimensions[dimension].nodes[node].within;
                element.witness.statements.iter().any(|place| Some(*place) == cell.through)
                    && matched.contains(&node)
                    && !within.iter().any(|inner| matched.contains(inner))
            };
            if self.elements.iter().any(is_seen) {
                possible.push(node);
                continue;
            }
            let mut parts = vec![cell.breaks];
            parts.extend(self.reduced_node(dimension, node));
            match self.ask_for(cell, parts)? {
                Verdict::Holds(_) => continue,
                Verdict::Unknown { .. } => {}
                Verdict::Fails(witness) => self.learn(witness),
            }
            possible.push(node);
        }
        Ok(possible)
    }

    /// Looks for requests that match all of several nodes: one shows as many rows.
    fn meet(&mut self, cell: &Cell, open: &[Vec<usize>]) -> Result<(), Error> {
        for (dimension, nodes) in open.iter().enumerate() {
            let all = &self.lattice.dimensions[dimension].nodes;
            let innermost: Vec<usize> = nodes
                .iter()
                .copied()
                .filter(|node| !all[*node].within.iter().any(|inner| nodes.contains(inner)))
                .collect();
            if innermost.len() < MEET_FROM {
                continue;
            }
            let mut parts = vec![cell.breaks];
            parts.extend(innermost.iter().map(|node| self.terms[dimension][*node]));
            if let Verdict::Fails(witness) = self.ask_for(cell, parts)? {
                self.learn(witness);
            }
        }
        Ok(())
    }

    /// Whether the combination is found already, or lies within one that is.
    fn is_known(&self, tuple: &Tuple) -> bool {
        self.found.contains_key(tuple)
            || self.found.keys().any(|known| self.lattice.contains(known, tuple))
    }

    /// That a request is of the node and of none within it.
    fn reduced_node(&mut self, dimension: usize, node: usize) -> Vec<Term> {
        let within = &self.lattice.dimensions[dimension].nodes[node].within;
        let mut parts = vec![self.terms[dimension][node]];
        parts
            .extend(within.iter().map(|inner| self.run.scratch.not(self.terms[dimension][*inner])));
        parts
    }

    /// The same of every dimension.
    fn reduced(&mut self, tuple: &[usize]) -> Vec<Term> {
        let dimensions = 0..tuple.len();
        dimensions.flat_map(|dimension| self.reduced_node(dimension, tuple[dimension])).collect()
    }

    fn ask_for(&mut self, cell: &Cell, parts: Vec<Term>) -> Result<Verdict, Error> {
        let breaks = self.run.scratch.and(parts);
        self.ask(cell, breaks)
    }

    /// The verdict on a cell in which less breaks the property.
    fn ask(&mut self, cell: &Cell, breaks: Term) -> Result<Verdict, Error> {
        let cell = Cell { through: cell.through, breaks };
        match self.run.modelled_cell(&cell)? {
            Some(verdict) => Ok(verdict),
            None => self.run.opaque_cell(&cell),
        }
    }

    /// Notes a request, and the combinations in which it is.
    fn learn(&mut self, witness: Witness) {
        let under = self.run.witness_under;
        let matched = self.matched(&witness.request, under);
        let innermost: Vec<Vec<usize>> = matched
            .iter()
            .zip(&self.lattice.dimensions)
            .map(|(matched, dimension)| {
                let is_innermost = |node: &&usize| {
                    !dimension.nodes[**node].within.iter().any(|inner| matched.contains(inner))
                };
                matched.iter().filter(is_innermost).copied().collect()
            })
            .collect();
        let element = self.elements.len();
        for tuple in Product::new(&innermost).take(MAX_TUPLES) {
            self.found.entry(tuple).or_insert(Ok(element));
        }
        let is_polished = self.run.polishes;
        self.elements.push(Element { witness, under, matched, is_polished });
    }

    /// For each dimension the nodes that match the request.
    fn matched(&self, request: &Request, under: Readings) -> Vec<Vec<usize>> {
        let dimensions = self.lattice.dimensions.iter().map(|dimension| {
            let nodes = dimension.nodes.iter().enumerate();
            nodes
                .filter(|(_, node)| node.matches(request, under) == Truth::True)
                .map(|(index, _)| index)
                .collect()
        });
        dimensions.collect()
    }

    /// Makes the statement of a cell a row, as it stands.
    fn whole(&mut self, cell: &Cell, cause: Cause) {
        let at = cell.through;
        let question = self.run.question;
        let statement = at.and_then(|(at, index)| question.policy(at)?.statements.get(index));
        let statement = match statement {
            Some(statement) => statement.clone(),
            None => self.lattice.statement(&vec![vec![0]; self.lattice.dimensions.len()]),
        };
        self.coarse.push(Coarse { through: at, statement, term: cell.breaks, cause });
    }

    /// The precise rows: combinations that lie within no other, and are not only of statements that are rows themselves.
    fn maximal(&self) -> Vec<Tuple> {
        let within_other = |tuple: &&Tuple| {
            self.found.keys().any(|other| other != *tuple && self.lattice.contains(other, tuple))
        };
        let is_told = |tuple: &&Tuple| {
            let mut elements = self.elements.iter().filter(|element| element.is_of(tuple));
            matches!(self.found.get(*tuple), Some(Ok(_)))
                && elements.all(|element| self.is_of_coarse(element))
        };
        let tuples = self.found.keys().filter(|tuple| !within_other(tuple));
        tuples.filter(|tuple| !is_told(tuple)).cloned().collect()
    }

    /// Whether a statement that is a row as it stands lets the request in.
    fn is_of_coarse(&self, element: &Element) -> bool {
        let through: Vec<_> = self.coarse.iter().filter_map(|coarse| coarse.through).collect();
        element.witness.statements.iter().any(|place| through.contains(place))
    }

    /// Rows of these that cover everything.
    fn choose(&mut self, rows: &[Tuple], all: bool) -> Result<Chosen, Error> {
        let rank = |row: usize| usize::from(!self.is_written(&rows[row]));
        let ranks: Vec<usize> = (0..rows.len()).map(rank).collect();
        let mut is_least = true;
        let mut n_choices = 0;
        loop {
            n_choices += 1;
            let undecided =
                (0..rows.len()).filter(|row| matches!(self.found.get(&rows[*row]), Some(Err(_))));
            let undecided: Vec<usize> = undecided.collect();
            let chosen = if all || n_choices > MAX_CHOICES || rows.len() > MAX_ROWS {
                is_least &= all;
                (0..rows.len()).collect()
            } else {
                let rows_of: Vec<Vec<usize>> = self
                    .elements
                    .iter()
                    .map(|element| {
                        (0..rows.len()).filter(|row| element.is_of(&rows[*row])).collect()
                    })
                    .filter(|of: &Vec<usize>| !of.is_empty())
                    .collect();
                let choice = cover::choose(&rows_of, |row| ranks[row]);
                is_least = choice.is_least;
                let mut chosen = choice.rows;
                chosen.extend(undecided);
                chosen.sort_unstable();
                chosen.dedup();
                chosen
            };
            let is_all = chosen.len() == rows.len();
            let chosen: Vec<Tuple> = chosen.into_iter().map(|row| rows[row].clone()).collect();
            let n_elements = self.elements.len();
            let coverage = self.covered(&chosen)?;
            // A request that is of no row at all is one that no cell was asked for, because of a limit.
            if self.elements.len() == n_elements || is_all {
                return Ok(Chosen { rows: chosen, is_least, coverage });
            }
        }
    }

    /// Whether these rows cover everything. Requests that they do not are noted.
    fn covered(&mut self, rows: &[Tuple]) -> Result<Coverage, Error> {
        let mut outside: Vec<Term> = Vec::new();
        for tuple in rows {
            let row = self.row(tuple);
            let row = self.run.scratch.and(row);
            outside.push(self.run.scratch.not(row));
        }
        for coarse in &self.coarse {
            outside.push(self.run.scratch.not(coarse.term));
        }
        let cells = self.run.encoding.cells.clone();
        self.run.all_agreed = true;
        self.run.decided_by = None;
        let queries = self.run.queries;
        let mut coverage = None;
        for cell in &cells {
            let mut parts = vec![cell.breaks];
            parts.extend(&outside);
            match self.ask_for(cell, parts)? {
                Verdict::Holds(_) => {}
                Verdict::Fails(witness) => {
                    self.learn(witness);
                    coverage.get_or_insert(Coverage::Unknown {
                        reason: Reason::SolverGaveUp,
                        unsupported: Vec::new(),
                    });
                }
                Verdict::Unknown { reason, unsupported } => {
                    coverage.get_or_insert(Coverage::Unknown { reason, unsupported });
                }
            }
        }
        let agreed = self.run.queries > queries && self.run.all_agreed;
        let evidence = if agreed { Evidence::Agreed } else { Evidence::Claimed };
        Ok(coverage.unwrap_or(Coverage::Complete(evidence)))
    }

    /// Whether one statement has all patterns of the row.
    fn is_written(&self, tuple: &Tuple) -> bool {
        let mut common: Option<BTreeSet<(PolicyRef, usize)>> = None;
        for (dimension, node) in self.lattice.dimensions.iter().zip(tuple) {
            let node = &dimension.nodes[*node];
            if node.pattern == Pattern::Any {
                continue;
            }
            common = Some(match common {
                None => node.places.clone(),
                Some(common) => common.intersection(&node.places).copied().collect(),
            });
        }
        common.is_none_or(|places| !places.is_empty())
    }

    /// Whether some request of the row is public, of those that no narrower pattern of a principal covers.
    fn is_public(&mut self, tuple: &Tuple) -> Result<Option<bool>, Error> {
        let node = tuple[lattice::PRINCIPAL];
        if !self.lattice.dimensions[lattice::PRINCIPAL].nodes[node].may_be_public() {
            return Ok(Some(false));
        }
        let mut parts = self.reduced_node(lattice::PRINCIPAL, node);
        parts.extend(self.row(tuple));
        let mut answer = Some(false);
        for cell in &self.run.encoding.cells {
            let mut parts = parts.clone();
            parts.push(cell.breaks);
            match self.ask_for(cell, parts)? {
                Verdict::Holds(_) => {}
                Verdict::Fails(_) => return Ok(Some(true)),
                Verdict::Unknown { .. } => answer = None,
            }
        }
        Ok(answer)
    }

    /// What is true if and only if a request is of the row.
    fn row(&self, tuple: &[usize]) -> Vec<Term> {
        let nodes = tuple.iter().enumerate();
        nodes.map(|(dimension, node)| self.terms[dimension][*node]).collect()
    }

    /// The cause of a row with the readings on which it hangs that some request of the row breaks the property.
    fn settled(
        &mut self,
        cause: Cause,
        tuple: &Tuple,
        base: Readings,
        free: &[Switch],
        setting: &Setting<'_>,
    ) -> Result<Cause, Error> {
        let Cause::Shown { witness, under, .. } = cause else { return Ok(cause) };
        let witness = *witness;
        let mut encoding = self.run.encoding.clone();
        let of_row = encoding.terms.and(self.row(tuple));
        for cell in &mut encoding.cells {
            cell.breaks = encoding.terms.and([cell.breaks, of_row]);
        }
        let mut run = Run::new(self.run.question, (&encoding, free), base, setting);
        run.witness_under = under;
        let settled = run.settle(witness.clone())?;
        let matched = self.matched(&settled.witness.request, settled.under);
        let is_of_row = matched.iter().zip(tuple).all(|(matched, node)| matched.contains(node));
        let (witness, under) =
            if is_of_row { (settled.witness, settled.under) } else { (witness, under) };
        Ok(Cause::Shown { witness: Box::new(witness), under, depends_on: settled.depends_on })
    }

    fn cause(&mut self, tuple: &Tuple) -> Result<Cause, Error> {
        let (reason, unsupported) = match self.found.get(tuple) {
            Some(&Ok(element)) => {
                let element = self.polished(element, tuple)?;
                let Element { witness, under, .. } = &self.elements[element];
                let witness = Box::new(witness.clone());
                return Ok(Cause::Shown { witness, under: *under, depends_on: Vec::new() });
            }
            Some(Err((reason, unsupported))) => (*reason, unsupported.clone()),
            None => (Reason::SolverGaveUp, Vec::new()),
        };
        Ok(Cause::Undecided { reason, unsupported })
    }

    /// A readable request of the row, if there is one, in the place of one that is not. That one may be of other rows as well,
    /// of which the readable one is not.
    fn polished(&mut self, element: usize, tuple: &Tuple) -> Result<usize, Error> {
        if self.elements[element].is_polished {
            return Ok(element);
        }
        let through = self.elements[element].witness.statements.first().copied();
        let cells = self.run.encoding.cells.iter();
        let Some(cell) = cells.into_iter().find(|cell| cell.through == through) else {
            return Ok(element);
        };
        let mut parts = vec![cell.breaks];
        parts.extend(self.reduced(tuple));
        if let Verdict::Fails(witness) = self.ask_for(cell, parts)? {
            let under = self.run.witness_under;
            let matched = self.matched(&witness.request, under);
            let polished = Element { witness, under, matched, is_polished: true };
            if polished.is_of(tuple) {
                self.elements.push(polished);
                return Ok(self.elements.len() - 1);
            }
        }
        Ok(element)
    }
}

impl Element {
    fn is_of(&self, tuple: &[usize]) -> bool {
        self.matched.iter().zip(tuple).all(|(matched, node)| matched.contains(node))
    }
}

/// All combinations of one node of each dimension, those of the first nodes first.
struct Product<'a> {
    choices: &'a [Vec<usize>],
    next: Option<Vec<usize>>,
}

impl<'a> Product<'a> {
    fn new(choices: &'a [Vec<usize>]) -> Product<'a> {
        let is_empty = choices.iter().any(Vec::is_empty);
        Product { choices, next: (!is_empty).then(|| vec![0; choices.len()]) }
    }
}

impl Iterator for Product<'_> {
    type Item = Tuple;

    fn next(&mut self) -> Option<Tuple> {
        let positions = self.next.take()?;
        let tuple = positions.iter().zip(self.choices).map(|(at, nodes)| nodes[*at]).collect();
        let mut following = positions;
        for (at, nodes) in following.iter_mut().zip(self.choices).rev() {
            *at += 1;
            if *at < nodes.len() {
                self.next = Some(following);
                return Some(tuple);
            }
            *at = 0;
        }
        Some(tuple)
    }
}

/// Rows that are shown as one, because they differ in one list.
struct Group {
    /// For each dimension the nodes, of which a request has to match one.
    nodes: Vec<Vec<usize>>,
    cause: Cause,
    is_public: Option<bool>,
}

/// The groups with those put together that differ in this dimension only, and are there for like reasons.
fn merged(groups: Vec<Group>, dimension: usize, lattice: &Lattice) -> Vec<Group> {
    let mut merged: Vec<Group> = Vec::new();
    let mut positions = BTreeMap::new();
    for group in groups {
        let Cause::Shown { under, depends_on, .. } = &group.cause else {
            merged.push(group);
            continue;
        };
        let mut rest = group.nodes.clone();
        let own = rest.get_mut(dimension).map(std::mem::take).unwrap_or_default();
        let may_be_listed =
            own.iter().all(|node| lattice.dimensions[dimension].nodes[*node].may_be_listed());
        if !may_be_listed {
            merged.push(group);
            continue;
        }
        let key = (rest, *under, depends_on.clone(), group.is_public);
        match positions.get(&key) {
            Some(&at) => {
                let known: &mut Group = &mut merged[at];
                known.nodes[dimension].extend(own);
            }
            None => {
                positions.insert(key, merged.len());
                merged.push(group);
            }
        }
    }
    merged
}

/// For each row whether some request of it is public, where the question is about what a resource lets in. Only rows whose principal is
/// anybody, or an identity of a provider, are looked at: others name somebody.
fn public_rows(
    question: &Question,
    table: &'static Table,
    lattice: &Lattice,
    rows: &[Tuple],
    setting: &Setting<'_>,
) -> Result<Vec<Option<bool>>, Error> {
    let Question::NoExternalAccess { policy, .. } = question else {
        return Ok(vec![None; rows.len()]);
    };
    // What came through an endpoint did not come from the public's network.
    if question.sets().any(|set| !set.vpc_endpoint.is_empty()) {
        return Ok(vec![None; rows.len()]);
    }
    let public = Question::NoPublicAccess { policy: policy.clone(), table };
    let Setting { solver, options, limits, cancel } = *setting;
    let report = super::check(&public, solver, options.clone(), limits, cancel)?;
    if let Verdict::Holds(_) = report.verdict {
        return Ok(vec![Some(false); rows.len()]);
    }
    let (mut encoding, terms) = encode_lattice(&public, lattice);
    let free = encoding.decide(&options.decisions);
    let base = readings::base(&options.decisions);
    if encoding.counts_addresses()
        && let Counted::Few { .. } = addresses::count(&public, base, setting)?
    {
        encoding.settle_addresses();
    }
    let mut run = Run::new(&public, (&encoding, &free), base, setting);
    run.simplify = true;
    let mut search = Search::new(lattice, &terms, run);
    rows.iter().map(|tuple| search.is_public(tuple)).collect()
}
