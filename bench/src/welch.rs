//! Welch's t-test over the times of two classes of inputs, as in "Dude, is my code constant time?" (Reparaz, Balasch,
//! Verbauwhede; DATE 2017).
//!
//! Times have a long tail to the right that tells of the machine alone. The test is therefore done over all times, and
//! again over those below each of a hundred percentiles; the largest |t| counts.

/// From here on, |t| is taken for evidence that the two classes take different times.
pub const EVIDENCE: f64 = 4.5;

/// The percentiles at which times are cropped.
const CROPS: u32 = 100;

/// A test over fewer times of a class says nothing.
const ENOUGH: f64 = 200.0;

/// Which class an input belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Such as: the fixed ones.
    A,
    /// Such as: the random ones.
    B,
}

/// Number, mean and sum of squared deviations of values, kept as they come (Welford).
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    n: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn push(&mut self, value: f64) {
        self.n += 1.0;
        let deviation = value - self.mean;
        self.mean += deviation / self.n;
        self.squares += deviation * (value - self.mean);
    }

    /// The squared standard error of the mean.
    fn error(&self) -> f64 {
        self.squares / (self.n - 1.0) / self.n
    }
}

/// One t-test: over the times below `crop`.
#[derive(Debug, Clone, Copy)]
struct Cropped {
    crop: f64,
    a: Moments,
    b: Moments,
}

impl Cropped {
    const fn new(crop: f64) -> Self {
        let empty = Moments { n: 0.0, mean: 0.0, squares: 0.0 };
        Self { crop, a: empty, b: empty }
    }

    /// |t|, or nothing if there are too few times.
    fn t(&self) -> Option<f64> {
        let enough = self.a.n >= ENOUGH && self.b.n >= ENOUGH;
        let error = (self.a.error() + self.b.error()).sqrt();
        (enough && error > 0.0).then(|| (self.a.mean - self.b.mean).abs() / error)
    }
}

/// All the t-tests of one experiment.
#[derive(Debug)]
pub struct Test(Vec<Cropped>);

impl Test {
    /// A test that crops at the percentiles of `times`, which do not count otherwise.
    #[must_use]
    pub fn new(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let percentile = |step: u32| {
            let share = 1.0 - 0.5_f64.powf(10.0 * f64::from(step) / f64::from(CROPS));
            times.get((times.len() as f64 * share) as usize).copied()
        };
        let crops = (1..=CROPS).filter_map(percentile).chain([f64::INFINITY]);
        Self(crops.map(Cropped::new).collect())
    }

    /// Counts the time of an input.
    pub fn push(&mut self, class: Class, time: f64) {
        for test in self.0.iter_mut().filter(|test| time <= test.crop) {
            match class {
                Class::A => test.a.push(time),
                Class::B => test.b.push(time),
            }
        }
    }

    /// How many times were counted.
    #[must_use]
    pub fn count(&self) -> f64 {
        self.0.last().map_or(0.0, |all| all.a.n + all.b.n)
    }

    /// The mean of all times.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.0.last().map_or(0.0, |all| (all.a.mean * all.a.n + all.b.mean * all.b.n) / (all.a.n + all.b.n))
    }

    /// |t| over all times.
    #[must_use]
    pub fn t_of_all(&self) -> Option<f64> {
        self.0.last().and_then(Cropped::t)
    }

    /// The largest |t|, with the difference of the means, B less A, where it was found. Nothing if there are too few
    /// times.
    #[must_use]
    pub fn largest(&self) -> Option<(f64, f64)> {
        let each = self.0.iter().filter_map(|test| Some((test.t()?, test.b.mean - test.a.mean)));
        each.max_by(|(a, _), (b, _)| a.total_cmp(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng;
    use rand_core::Rng as _;

    /// 10,000 times with noise and a tail; those of class B are `later`.
    fn largest(later: f64) -> f64 {
        let mut rng = rng(1);
        let mut time = || {
            let noise = f64::from(rng.next_u32() % 1000);
            if rng.next_u32().is_multiple_of(100) { noise * 1000.0 } else { noise }
        };
        let mut test = Test::new((0..1000).map(|_| time()).collect());
        for _ in 0..5000 {
            test.push(Class::A, time());
            test.push(Class::B, time() + later);
        }
        assert_eq!(test.count(), 10_000.0);
        test.largest().expect("enough").0
    }

    #[test]
    fn equal_classes_show_nothing() {
        assert!(largest(0.0) < EVIDENCE);
    }

    #[test]
    fn a_difference_in_the_noise_is_found() {
        assert!(largest(40.0) > EVIDENCE);
    }

    #[test]
    fn the_t_of_a_known_example() {
        let mut test = Cropped::new(f64::INFINITY);
        for step in 0..300 {
            test.a.push(f64::from(step % 3));
            test.b.push(f64::from(step % 3) + 0.5);
        }
        // Variances of 200/299 each: t = 0.5 / sqrt(2 * 200 / 299 / 300).
        assert!((test.t().expect("enough") - 7.487_49).abs() < 1e-4);
    }

    #[test]
    fn a_few_times_say_nothing() {
        let mut test = Test::new(Vec::new());
        test.push(Class::A, 1.0);
        test.push(Class::B, 2.0);
        assert_eq!(test.largest(), None);
    }
}
