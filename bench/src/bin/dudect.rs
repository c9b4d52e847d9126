//! Watches whether secrets show in the time that the exchange takes, in the way of dudect.
//!
//! ```text
//! cargo run --release -p tagai-bench --bin dudect -- --seconds 60
//! cargo run --release -p tagai-bench --bin dudect -- --seconds 60 --algorithm iso-kam3-dl-2048-sha256 --strict
//! ```
//!
//! An experiment has two classes of inputs, which differ in one secret alone, and takes them in random order. What an
//! input needs is made before a batch is timed, in the same way for both classes, so that they differ neither in what is
//! in the caches nor in where it lies. The control is an experiment whose leak has to be found: it shows that the others
//! had the time to find one like it. With `--strict`, evidence of a leak makes the program fail, and so does a control
//! without, or an experiment that had too little time to say anything.

use std::error::Error;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use lexopt::{Arg, ValueExt as _};
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng as _, TryCryptoRng, TryRng};
use tagai_bench::welch::{Class, EVIDENCE, Test};
use tagai_bench::{LoginServer, derive_pi, host_validation, rng};
use tagai_core::algorithm::{Algorithm, Representation};
use tagai_core::kam3::{ClientExchange, J, Kc1, Ks1, Pi, respond};

/// Inputs that are made at once, and then timed.
const BATCH: usize = 128;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let (mut seconds, mut algorithm, mut strict) = (5, Algorithm::EcP256Sha256, false);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("seconds") => seconds = arguments.value()?.parse()?,
            Arg::Long("algorithm") => algorithm = arguments.value()?.parse()?,
            Arg::Long("strict") => strict = true,
            other => return Err(other.unexpected().into()),
        }
    }

    println!("{algorithm}, {seconds} s for each experiment");
    let watch = Watch { algorithm, time: Duration::from_secs(seconds) };
    let mut results = vec![
        watch.verifier(),
        watch.server_exponent(),
        watch.client_credential(),
        watch.client_exponent(),
        watch.known_user(),
    ];
    if algorithm.representation() == Representation::Hex {
        results.push(watch.proof());
    }
    let leak = results.contains(&Some(true));
    let meaningful = watch.control() == Some(true) && !results.contains(&None);
    println!("{}", if leak { "evidence of a leak" } else { "no evidence of a leak" });
    if !meaningful {
        println!(
            "but the control was not found either, or times were too few: more --seconds, or a machine less busy"
        );
    }
    Ok(if strict && (leak || !meaningful) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The experiments on one algorithm.
struct Watch {
    algorithm: Algorithm,
    /// For one experiment, with all its preparation.
    time: Duration,
}

impl Watch {
    /// Does one experiment and prints what came out. Gives whether there is evidence of a leak, if anything came out.
    fn experiment<I, O>(
        &self,
        name: &str,
        mut prepare: impl FnMut(Class, &mut ChaCha12Rng) -> I,
        mut run: impl FnMut(I) -> O,
    ) -> Option<bool> {
        let mut rng = rng(1);
        let mut batch = || {
            let classes: Vec<_> =
                (0..BATCH).map(|_| if rng.next_u32() & 1 == 0 { Class::A } else { Class::B }).collect();
            let inputs: Vec<_> = classes.iter().map(|class| prepare(*class, &mut rng)).collect();
            let times = inputs.into_iter().map(|input| {
                let input = black_box(input);
                let clock = Instant::now();
                let output = black_box(run(input));
                let time = clock.elapsed();
                drop(output);
                time.as_nanos() as f64
            });
            classes.into_iter().zip(times).collect::<Vec<_>>()
        };

        let clock = Instant::now();
        let mut first = Vec::new();
        while first.is_empty() || clock.elapsed() < self.time / 20 {
            first.extend(batch().into_iter().map(|(_, time)| time));
        }
        let mut test = Test::new(first);
        while clock.elapsed() < self.time {
            batch().into_iter().for_each(|(class, time)| test.push(class, time));
        }

        let (count, mean) = (test.count(), test.mean() / 1000.0);
        let Some(((largest, difference), all)) = test.largest().zip(test.t_of_all()) else {
            println!("{name}: {count} times are too few");
            return None;
        };
        let leak = largest >= EVIDENCE;
        let verdict = if leak { "evidence of a leak" } else { "no evidence of a leak" };
        println!(
            "{name}: |t| = {largest:.2} (there {difference:+.1} ns; {all:.2} over all), {count} times, mean {mean:.1} µs: {verdict}"
        );
        Some(leak)
    }

    /// `respond` with one `J`, and with another each time.
    fn verifier(&self) -> Option<bool> {
        let (fixed, k_c1) = (self.element(&mut rng(2)), self.element(&mut rng(3)));
        let mut s_s1 = rng(4);
        self.experiment(
            "server's respond: fixed J against random J",
            |class, rng| {
                // The other one is made as well, so that both classes have the same done before them.
                let random = self.element(rng);
                let element = if class == Class::A { &fixed } else { &random };
                J::from_octets(self.algorithm, element.octets()).expect("J")
            },
            |j| respond(&j, &k_c1, &mut s_s1).expect("K_s1"),
        )
    }

    /// `respond` with an `S_s1` of half the length, and of the full one.
    fn server_exponent(&self) -> Option<bool> {
        let j = J::from_octets(self.algorithm, self.element(&mut rng(2)).octets()).expect("J");
        self.experiment(
            "server's respond: short S_s1 against long S_s1",
            |class, rng| (self.element(rng), self.exponent(class, rng)),
            |(k_c1, mut s_s1)| respond(&j, &k_c1, &mut s_s1).expect("K_s1"),
        )
    }

    /// `finish` with one `pi`, and with another each time.
    fn client_credential(&self) -> Option<bool> {
        let (fixed, k_s1) = (derive_pi(self.algorithm, "password"), self.k_s1());
        self.experiment(
            "client's finish: fixed pi against random pi",
            |class, rng| {
                let mut octets = vec![0; self.algorithm.hash_len()];
                rng.fill_bytes(&mut octets);
                if class == Class::A {
                    octets.copy_from_slice(fixed.expose_octets());
                }
                let pi = Pi::from_octets(self.algorithm, &octets).expect("the length of a hash");
                (pi, ClientExchange::start(self.algorithm, rng).expect("K_c1"))
            },
            |(pi, exchange)| exchange.finish(&pi, &k_s1).expect("z"),
        )
    }

    /// `start` and `finish` with an `S_c1` of half the length, and of the full one.
    fn client_exponent(&self) -> Option<bool> {
        let (pi, k_s1) = (derive_pi(self.algorithm, "password"), self.k_s1());
        self.experiment(
            "client's start and finish: short S_c1 against long S_c1",
            |class, rng| self.exponent(class, rng),
            |mut s_c1| {
                let exchange = ClientExchange::start(self.algorithm, &mut s_c1).expect("K_c1");
                exchange.finish(&pi, &k_s1).expect("z")
            },
        )
    }

    /// The whole answer to req-KEX-C1, for a user that there is, and for one that there is not.
    fn known_user(&self) -> Option<bool> {
        let (server, mut user) = LoginServer::new(self.algorithm);
        let logins = user.prepare(&server);
        let (j, mut s_s1) = (server.verifier(), rng(4));
        let mut next = logins.iter().cycle();
        self.experiment(
            "server's answer: known user against unknown user",
            |class, _| {
                let login = next.next().expect("they never end");
                (server.read_kex(&login.kex), (class == Class::A).then_some(&j))
            },
            |(request, j)| request.answer(j, &mut s_s1, user.now()).expect("K_c1 is acceptable"),
        )
    }

    /// The judgement of a `VK_c` that is wrong in its first octet, and in its last.
    fn proof(&self) -> Option<bool> {
        let (server, mut user) = LoginServer::new(self.algorithm);
        let (login, session) = user.login(&server, 0);
        let mut session = Some(session);
        self.experiment(
            "server's verify: VK_c wrong in the first octet against the last",
            |class, _| server.read_vfy(&forged(&user.request(), class)),
            |request| {
                let (kept, verdict) = session.take().expect("a session").verify(&request, login.now);
                session = Some(kept);
                (request, verdict)
            },
        )
    }

    /// As `proof`, with a comparison that ends where the octets differ.
    fn control(&self) -> Option<bool> {
        let (k_c1, mut s_s1) = (self.element(&mut rng(3)), rng(4));
        let j = J::from_octets(self.algorithm, self.element(&mut rng(2)).octets()).expect("J");
        let (_, key) = respond(&j, &k_c1, &mut s_s1).expect("K_s1");
        let vh = host_validation();
        let mut nc = 0;
        self.experiment(
            "control: the same with a comparison that leaks",
            |class, _| {
                nc += 1;
                let mut octets = key.vk_c(nc, &vh).octets().to_vec();
                let place = if class == Class::A { 0 } else { octets.len() - 1 };
                octets[place] ^= 1;
                (nc, octets)
            },
            |(nc, octets)| key.vk_c(nc, &vh).octets().iter().zip(&octets).all(|(a, b)| a == b),
        )
    }

    /// A random element of the group.
    fn element(&self, rng: &mut ChaCha12Rng) -> Kc1 {
        ClientExchange::start(self.algorithm, rng).expect("K_c1").k_c1().clone()
    }

    /// A value that a server may send.
    fn k_s1(&self) -> Ks1 {
        Ks1::from_octets(self.algorithm, self.element(&mut rng(2)).octets()).expect("natural length")
    }

    /// The randomness that makes a random exponent of half the length for class A, and of the full one for class B.
    fn exponent(&self, class: Class, rng: &mut ChaCha12Rng) -> Replay {
        // A scalar of P-256 is shorter than its elements by the octet that holds the sign.
        let length = self.algorithm.element_len() & !1;
        let mut octets = vec![0; length];
        rng.fill_bytes(&mut octets);
        if class == Class::A {
            octets[..length / 2].fill(0);
        }
        Replay { octets }
    }
}

/// A req-VFY-C field whose `vkc` is wrong in the first digit for class A, and in the last digit for class B.
fn forged(field: &str, class: Class) -> String {
    let name = "vkc=";
    let start = field.find(name).expect("a vkc") + name.len();
    let digits = field[start..].bytes().take_while(u8::is_ascii_hexdigit).count();
    let place = if class == Class::A { start } else { start + digits - 1 };
    let wrong = if field.as_bytes()[place] == b'0' { "1" } else { "0" };
    [&field[..place], wrong, &field[place + 1..]].concat()
}

/// A generator that gives the same octets each time.
struct Replay {
    octets: Vec<u8>,
}

impl TryRng for Replay {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut octets = [0; 4];
        self.try_fill_bytes(&mut octets).map(|()| u32::from_le_bytes(octets))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut octets = [0; 8];
        self.try_fill_bytes(&mut octets).map(|()| u64::from_le_bytes(octets))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        out.iter_mut().zip(self.octets.iter().cycle()).for_each(|(to, from)| *to = *from);
        Ok(())
    }
}

impl TryCryptoRng for Replay {}
