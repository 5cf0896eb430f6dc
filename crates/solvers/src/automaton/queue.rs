//! The variables that may be decided, by activity: a binary heap whose members know their places.

use super::problem::Var;

/// The place of a variable that is not in the heap.
const NOWHERE: u32 = u32::MAX;

/// A heap of variables. The order is by activity, of equals the smaller number first; activities
/// belong to the caller, who tells when one was raised.
#[derive(Debug)]
pub(super) struct Queue {
    heap: Vec<Var>,
    /// By variable.
    places: Vec<u32>,
}

impl Queue {
    /// All variables.
    pub(super) fn new(activities: &[f64]) -> Queue {
        let n = activities.len() as u32;
        let mut heap: Vec<Var> = (0..n).collect();
        // Sorted is one of the orders that a heap may have.
        heap.sort_by(|&a, &b| {
            activities[b as usize].total_cmp(&activities[a as usize]).then(a.cmp(&b))
        });
        let mut places = vec![0; activities.len()];
        for (place, &var) in heap.iter().enumerate() {
            places[var as usize] = place as u32;
        }
        Queue { heap, places }
    }

    /// Takes out the first.
    pub(super) fn pop(&mut self, activities: &[f64]) -> Option<Var> {
        let first = *self.heap.first()?;
        let last = self.heap.pop()?;
        self.places[first as usize] = NOWHERE;
        if last != first {
            self.put(0, last);
            self.sink(0, activities);
        }
        Some(first)
    }

    /// Puts a variable back, if it is not there.
    pub(super) fn insert(&mut self, var: Var, activities: &[f64]) {
        if self.places[var as usize] == NOWHERE {
            self.heap.push(var);
            self.put(self.heap.len() - 1, var);
            self.rise(self.heap.len() - 1, activities);
        }
    }

    /// The activity of the variable has been raised.
    pub(super) fn raised(&mut self, var: Var, activities: &[f64]) {
        if self.places[var as usize] != NOWHERE {
            self.rise(self.places[var as usize] as usize, activities);
        }
    }

    fn put(&mut self, place: usize, var: Var) {
        self.heap[place] = var;
        self.places[var as usize] = place as u32;
    }

    fn rise(&mut self, mut place: usize, activities: &[f64]) {
        let var = self.heap[place];
        while place > 0 {
            let parent = (place - 1) / 2;
            if !before(var, self.heap[parent], activities) {
                break;
            }
            self.put(place, self.heap[parent]);
            place = parent;
        }
        self.put(place, var);
    }

    fn sink(&mut self, mut place: usize, activities: &[f64]) {
        let var = self.heap[place];
        loop {
            let mut child = 2 * place + 1;
            if child >= self.heap.len() {
                break;
            }
            if child + 1 < self.heap.len()
                && before(self.heap[child + 1], self.heap[child], activities)
            {
                child += 1;
            }
            if !before(self.heap[child], var, activities) {
                break;
            }
            self.put(place, self.heap[child]);
            place = child;
        }
        self.put(place, var);
    }
}

fn before(a: Var, b: Var, activities: &[f64]) -> bool {
    let (of_a, of_b) = (activities[a as usize], activities[b as usize]);
    of_a > of_b || (of_a == of_b && a < b)
}

#[cfg(test)]
mod tests {
    use keyaki_testing::arbtest;

    use super::*;

    #[test]
    fn the_most_active_comes_first_whatever_happened_before() {
        arbtest(|u| {
            let n = u.int_in_range(1..=20)?;
            let mut activities: Vec<f64> = Vec::new();
            for _ in 0..n {
                activities.push(f64::from(u.int_in_range(0..=3u8)?));
            }
            let mut queue = Queue::new(&activities);
            let mut there = vec![true; n];
            for _ in 0..u.int_in_range(0..=60)? {
                let var = u.choose_index(n)?;
                match u.int_in_range(0..=2)? {
                    0 => {
                        activities[var] += f64::from(u.int_in_range(0..=3u8)?);
                        queue.raised(var as Var, &activities);
                    }
                    1 => {
                        queue.insert(var as Var, &activities);
                        there[var] = true;
                    }
                    _ => {
                        let first = (0..n).filter(|&var| there[var]).min_by(|&a, &b| {
                            activities[b].total_cmp(&activities[a]).then(a.cmp(&b))
                        });
                        assert_eq!(queue.pop(&activities), first.map(|var| var as Var));
                        if let Some(first) = first {
                            there[first] = false;
                        }
                    }
                }
            }
            Ok(())
        });
    }
}
