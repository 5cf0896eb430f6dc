//! Values for variables of which some pairs must differ.
//!
//! List colouring, which is hard in general and trivial here: a variable that has more values than
//! others to differ from can be left for last whatever the others get, and the domains that are
//! smaller than that (a list of names, a bit) are few and short, so they are tried.

use keyaki_logic::Reason;

/// Values such that the two ends of every edge differ; or the members that have no such values
/// among themselves.
///
/// `first` has a value of each member. `another(member, known)` is a value of the member that is
/// not among `known`, `None` if it has no other.
pub(super) fn distinct<V: Clone + PartialEq>(
    mut values: Vec<V>,
    edges: &[(usize, usize)],
    mut another: impl FnMut(usize, &[V]) -> Result<Option<V>, Reason>,
    tick: impl Fn() -> Option<Reason>,
) -> Result<Result<Vec<V>, Vec<usize>>, Reason> {
    if edges.iter().all(|&(a, b)| values[a] != values[b]) {
        return Ok(Ok(values));
    }
    let mut neighbours: Vec<Vec<usize>> = vec![Vec::new(); values.len()];
    for &(a, b) in edges {
        neighbours[a].push(b);
        neighbours[b].push(a);
    }
    let mut choices: Vec<Vec<V>> = Vec::with_capacity(values.len());
    for (member, neighbours) in neighbours.iter_mut().enumerate() {
        neighbours.sort_unstable();
        neighbours.dedup();
        let mut known = vec![values[member].clone()];
        while known.len() <= neighbours.len() {
            if let Some(reason) = tick() {
                return Err(reason);
            }
            match another(member, &known)? {
                Some(value) => known.push(value),
                None => break,
            }
        }
        choices.push(known);
    }
    let is_rich = |member: usize| choices[member].len() > neighbours[member].len();
    let poor: Vec<usize> = (0..values.len()).filter(|&member| !is_rich(member)).collect();
    let Some(chosen) = try_all(&poor, &neighbours, &choices, tick)? else { return Ok(Err(poor)) };
    let mut done = vec![false; values.len()];
    for (&member, &choice) in poor.iter().zip(&chosen) {
        values[member] = choices[member][choice].clone();
        done[member] = true;
    }
    for member in (0..values.len()).filter(|&member| is_rich(member)) {
        let taken = |value: &&V| {
            let mut before = neighbours[member].iter().filter(|&&other| done[other]);
            before.any(|&other| values[other] == **value)
        };
        let free = choices[member].iter().find(|value| !taken(value)).cloned();
        // More choices than neighbours, so one is free.
        values[member] = free.unwrap_or_else(|| values[member].clone());
        done[member] = true;
    }
    Ok(Ok(values))
}

/// An index into `choices` for each of `members` such that neighbours among them differ. `None` if
/// there are none.
fn try_all<V: PartialEq>(
    members: &[usize],
    neighbours: &[Vec<usize>],
    choices: &[Vec<V>],
    tick: impl Fn() -> Option<Reason>,
) -> Result<Option<Vec<usize>>, Reason> {
    let mut chosen: Vec<usize> = Vec::new();
    let mut next = 0;
    while chosen.len() < members.len() {
        if let Some(reason) = tick() {
            return Err(reason);
        }
        let member = members[chosen.len()];
        let fits = |&choice: &usize| {
            members.iter().zip(&chosen).all(|(&other, &taken)| {
                neighbours[member].binary_search(&other).is_err()
                    || choices[other][taken] != choices[member][choice]
            })
        };
        if let Some(choice) = (next..choices[member].len()).find(fits) {
            chosen.push(choice);
            next = 0;
        } else {
            match chosen.pop() {
                None => return Ok(None),
                Some(last) => next = last + 1,
            }
        }
    }
    Ok(Some(chosen))
}

#[cfg(test)]
mod tests {
    use keyaki_testing::arbtest;

    use super::*;

    #[test]
    fn values_differ_where_they_must_or_there_are_none() {
        arbtest(|u| {
            let n = u.int_in_range(1..=4usize)?;
            let mut domains: Vec<Vec<u8>> = Vec::new();
            for _ in 0..n {
                let size = u.int_in_range(1..=4u8)?;
                let start = u.int_in_range(0..=1u8)?;
                domains.push((start..start + size).collect());
            }
            let mut edges = Vec::new();
            for a in 0..n {
                for b in 0..a {
                    if u.arbitrary()? {
                        edges.push((a, b));
                    }
                }
            }
            let first = domains.iter().map(|domain| domain[0]).collect();
            let another = |member: usize, known: &[u8]| {
                Ok(domains[member].iter().copied().find(|value| !known.contains(value)))
            };
            let fits = |values: &[u8], members: &[usize]| {
                edges.iter().all(|&(a, b)| {
                    !members.contains(&a) || !members.contains(&b) || values[a] != values[b]
                })
            };
            let possible = |members: &[usize]| {
                (0..256u32).any(|i| {
                    let pick = |member: usize| {
                        domains[member].get((i >> (2 * member) & 3) as usize).copied()
                    };
                    let values: Option<Vec<u8>> = (0..n).map(pick).collect();
                    values.is_some_and(|values| fits(&values, members))
                })
            };
            let all: Vec<usize> = (0..n).collect();
            match distinct(first, &edges, another, || None).unwrap() {
                Ok(values) => {
                    assert!(fits(&values, &all), "{values:?} {edges:?}");
                    assert!(values.iter().zip(&domains).all(|(v, domain)| domain.contains(v)));
                }
                Err(members) => assert!(!possible(&members), "{domains:?} {edges:?}"),
            }
            Ok(())
        });
    }
}
