//! `tagai user add`.

use crate::failure::Failure;
use crate::operator::{ConfigFile, Operator, RealmChoice};
use crate::verifier_line::VerifierLine;
use crate::{output, password};
use tagai_core::algorithm::Algorithm;
use tagai_core::realm::{AuthRealm, AuthScope, RealmName};

const AFTER: &str = "\
Examples:
  tagai user add alice
  tagai user add alice --generate
  printf '%s\\n' \"$PASSWORD\" | tagai user add alice --password-stdin
  tagai user add alice --verifier-only --scope www.example.com --realm-name Staff

With --verifier-only nothing is added: a line is printed that holds no password, and the operator's `tagai user import` takes \
it. So nobody but the user has ever seen the password. Send the line as you would send a secret: whoever has it can try \
passwords on it.";

/// `tagai user add`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// The user
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    source: password::Source,
    /// Print a line for `tagai user import`, and add nothing
    #[arg(long)]
    verifier_only: bool,
    /// The scope of the realm, as the operator says; with --verifier-only, without a configuration
    #[arg(long, requires = "verifier_only", requires = "realm_name", conflicts_with_all = ["config", "realm"])]
    scope: Option<String>,
    /// The name of the realm, as the operator says
    #[arg(long, value_name = "NAME", requires = "scope")]
    realm_name: Option<String>,
    /// The algorithm of the realm, as the operator says [default: iso-kam3-ec-p256-sha256]
    #[arg(long, requires = "scope")]
    algorithm: Option<Algorithm>,
    #[command(flatten)]
    realm: RealmChoice,
    #[command(flatten)]
    config: ConfigFile,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let name = password::user_name(&args.name)?;
    if args.verifier_only {
        let realm = realm_for_line(args)?;
        let secret = args.source.choose(&name)?;
        let verifier = password::verifier(&realm, &name, &secret)?;
        if args.source.generate {
            // Standard output is the line's alone.
            output::note(&format!("the password of {name}: {}", *secret));
        }
        return output::line(&VerifierLine { realm, user: name, verifier, disabled: false }.to_text());
    }
    let operator = Operator::open_to_change(&args.config, &args.realm)?;
    operator.must_be_new(&name)?;
    let secret = args.source.choose(&name)?;
    let verifier = password::verifier(&operator.realm.realm, &name, &secret)?;
    operator.add(&name, &verifier)?;
    output::note(&format!("{name} is a user of the realm {} now", operator.realm.id));
    if let Some(owner) = operator.principal_of(&name)? {
        output::note(&format!("logged in, {name} is the principal {owner}: the credential is bound already"));
    }
    if args.source.generate { output::line(&secret) } else { Ok(()) }
}

/// The realm that a line is made for: as the options say, or that of the configuration.
fn realm_for_line(args: &Args) -> Result<AuthRealm, Failure> {
    let (Some(scope), Some(name)) = (&args.scope, &args.realm_name) else {
        let config = args.config.load().map_err(|failure| {
            failure.help(
                "or say what the operator says: --scope SCOPE --realm-name NAME, and --algorithm if there is one",
            )
        })?;
        return Ok(args.realm.choose(&config)?.realm.clone());
    };
    let auth_scope = AuthScope::parse(scope).map_err(|error| Failure::usage(format!("--scope {scope}: {error}")))?;
    let name = RealmName::new(name).map_err(|error| Failure::usage(format!("--realm-name: {error}")))?;
    Ok(AuthRealm { algorithm: args.algorithm.unwrap_or(Algorithm::EcP256Sha256), auth_scope, name })
}
