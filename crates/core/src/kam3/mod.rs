//! Key Agreement Mechanism 3: the algorithms of RFC 8121 with the default functions of RFC 8120 §12.2.
//!
//! ```text
//! client                                         server
//! pi                                             J = g^pi
//! K_c1 = g^(S_c1)              -- K_c1 -->
//!                              <-- K_s1 --       K_s1 = (J · K_c1^(t_1))^(S_s1)
//! z = K_s1^((S_c1 + t_2) / (S_c1 · t_1 + pi))    z = (K_c1 · g^(t_2))^(S_s1)
//! VK_c = H(4 | K_c1 | K_s1 | z | nc | vh)        VK_s = H(3 | K_c1 | K_s1 | z | nc | vh)
//! ```
//!
//! Each step consumes its state, so that an exchange cannot be run twice with one secret exponent.

mod client;
mod group;
mod hash;
mod secrets;
mod server;
mod session_key;
mod values;

pub use client::ClientExchange;
pub use secrets::{J, KeyError, Pi};
pub use server::respond;
pub use session_key::{Binding, SessionKey};
pub use values::{Kc1, Ks1, Vkc, Vks};
