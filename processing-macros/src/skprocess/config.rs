//! The arguments of the attribute on a struct, checked.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Expr, ExprCall, ExprLit, Ident, Lit};

use super::parse::{Entry, Setting, Value};
use super::value::{Length, Number, plain};
use crate::complaints::Complaints;
use crate::phase::Phase;
use crate::runtime::Runtime;
use crate::words;

const ARGUMENTS: [&str; 8] =
    ["runs", "join_in", "lives", "timeouts", "checkpoint", "restart", "serde", "crate"];
const EVERY: &str = "write `checkpoint = off` or `checkpoint = every(10)`";
const RESTART: &str = "write `restart(5, within = \"60s\", backoff = \"100ms\")`";
const OWN_SERDE: &str =
    "write `serde = manual` if you implement `Serialize` and `Deserialize` yourself, else leave it out";

/// What the attribute says, ready to be written down.
#[derive(Default)]
pub(crate) struct Config {
    /// The calls that turn the runtime's default configuration into this one.
    pub(crate) setters: Vec<TokenStream>,
    pub(crate) runtime: Runtime,
    /// The user implements serde's traits without a derive.
    pub(crate) manual_serde: bool,
}

impl Config {
    /// Reads each argument; one that is wrong is left out of the result.
    pub(crate) fn check(settings: &[Setting], complaints: &mut Complaints) -> Self {
        let mut config = Self::default();
        let mut seen = Vec::new();
        for setting in settings {
            let name = setting.key.to_string();
            if !ARGUMENTS.contains(&name.as_str()) {
                complaints.about(&setting.key, hint(&name));
            } else if seen.contains(&name) {
                complaints.about(&setting.key, format!("`{name}` is set twice; remove one of them"));
            } else {
                config.set(&name, setting, complaints);
                seen.push(name);
            }
        }
        config
    }

    fn set(&mut self, name: &str, setting: &Setting, complaints: &mut Complaints) {
        let key = &setting.key;
        let setter = match name {
            "runs" => {
                let runs = Number { name: "runs", least: 0, most: u64::MAX, advice: "" };
                value(setting, "runs = 10", complaints)
                    .and_then(|written| complaints.catch(runs.read(written)))
                    .map(|runs| call(key, &[runs]))
            }
            "lives" => {
                let advice = "`lives = 1` is a process that never retries";
                let lives = Number { name: "lives", least: 1, most: u32::MAX.into(), advice };
                value(setting, "lives = 3", complaints)
                    .and_then(|written| complaints.catch(lives.read(written)))
                    .map(|lives| call(key, &[lives]))
            }
            "join_in" => {
                let join_in = Length { name: "join_in".into(), zero: None };
                value(setting, "join_in = \"5s\"", complaints)
                    .and_then(|written| complaints.catch(join_in.read(written)))
                    .map(|join_in| call(key, &[join_in]))
            }
            "timeouts" => {
                self.setters.extend(timeouts(setting, complaints));
                None
            }
            "checkpoint" => checkpoint(setting, complaints),
            "restart" => restart(setting, complaints),
            "serde" => {
                match value(setting, "serde = manual", complaints) {
                    Some(Expr::Path(written)) if written.path.is_ident("manual") => self.manual_serde = true,
                    Some(other) => complaints.about(other, OWN_SERDE),
                    None => {}
                }
                None
            }
            _ => {
                self.runtime = krate(setting, complaints).unwrap_or_default();
                None
            }
        };
        self.setters.extend(setter);
    }

    /// The value of the `CONFIG` constant.
    pub(crate) fn tokens(&self) -> TokenStream {
        if self.setters.is_empty() {
            return quote! { __rt::Config::DEFAULT };
        }
        let setters = &self.setters;
        // The local must not be visible in the expressions a user wrote as values.
        let config = Ident::new("config", Span::mixed_site());
        quote! {{
            let mut #config = __rt::Config::DEFAULT;
            #( #config.#setters; )*
            #config
        }}
    }
}

/// The runtime that `crate = "path"` names.
pub(crate) fn krate(setting: &Setting, complaints: &mut Complaints) -> Option<Runtime> {
    const FORM: &str = "crate = \"::my_crate::processing\"";
    match plain(value(setting, FORM, complaints)?) {
        Expr::Lit(ExprLit { lit: Lit::Str(path), .. }) => complaints.catch(Runtime::within(path)),
        other => {
            complaints.about(other, format!("the path of a crate goes in quotes: `{FORM}`"));
            None
        }
    }
}

/// The unknown argument's best explanation: a timeout out of its place, or a slip of the pen.
fn hint(name: &str) -> String {
    match Phase::named(name) {
        Some(phase) if phase != Phase::Run => {
            format!("`{name}` is no argument of its own; write `timeouts({name} = \"30s\")`")
        }
        _ if matches!(words::letters(name).as_str(), "timeout" | "timelimit" | "limit" | "limits") => {
            "unknown argument; a hook's limit is written `timeouts(run = \"30s\")`".into()
        }
        _ => words::unknown("argument", name, &ARGUMENTS),
    }
}

/// What stands behind `=`, where that is the only form there is.
fn value<'s>(setting: &'s Setting, form: &str, complaints: &mut Complaints) -> Option<&'s Expr> {
    match &setting.value {
        Value::Is(value) => Some(value),
        Value::Nothing | Value::List(..) => {
            complaints.about(&setting.key, format!("write `{form}`"));
            None
        }
    }
}

fn call(setter: &Ident, arguments: &[TokenStream]) -> TokenStream {
    quote! { #setter(#(#arguments),*) }
}

/// One call for each hook's limit.
fn timeouts(setting: &Setting, complaints: &mut Complaints) -> Vec<TokenStream> {
    let Value::List(entries) = &setting.value else {
        complaints.about(&setting.key, "a limit belongs to a hook; write `timeouts(run = \"30s\")`");
        return Vec::new();
    };
    let mut calls = Vec::new();
    let mut seen = Vec::new();
    for Entry { key, value } in entries {
        let Some(key) = key else {
            complaints.about(value, "a limit belongs to a hook; write `run = \"30s\"`");
            continue;
        };
        let name = key.to_string();
        let Some(phase) = Phase::named(&name) else {
            complaints.about(key, words::unknown("hook", &name, &Phase::NAMES));
            continue;
        };
        if seen.contains(&phase) {
            complaints.about(key, format!("the limit of `{name}` is set twice; remove one of them"));
            continue;
        }
        seen.push(phase);
        let limit = Length { name, zero: Some("leave it out for a hook without a limit") };
        if let Some(limit) = complaints.catch(limit.read(value)) {
            let variant = phase.variant();
            let setter = Ident::new("timeout", key.span());
            calls.push(quote! { #setter(__rt::Phase::#variant, #limit) });
        }
    }
    calls
}

fn checkpoint(setting: &Setting, complaints: &mut Complaints) -> Option<TokenStream> {
    let Value::Is(written) = &setting.value else {
        complaints.about(&setting.key, EVERY);
        return None;
    };
    let key = &setting.key;
    match plain(written) {
        Expr::Path(path) if path.path.is_ident("off") => Some(quote! { #key(__rt::Checkpoint::Off) }),
        Expr::Call(ExprCall { func, args, .. }) => {
            let is_every = matches!(&**func, Expr::Path(path) if path.path.is_ident("every"));
            match args.first() {
                Some(iterations) if is_every && args.len() == 1 => {
                    let advice = "`every(1)` keeps each iteration";
                    let every = Number { name: "every", least: 1, most: u64::MAX, advice };
                    let every = complaints.catch(every.read(iterations))?;
                    Some(quote! { #key(__rt::Checkpoint::Every(#every)) })
                }
                _ => {
                    complaints.about(written, EVERY);
                    None
                }
            }
        }
        _ => {
            complaints.about(written, EVERY);
            None
        }
    }
}

fn restart(setting: &Setting, complaints: &mut Complaints) -> Option<TokenStream> {
    const NAMES: [&str; 2] = ["within", "backoff"];
    let Value::List(entries) = &setting.value else {
        complaints.about(&setting.key, RESTART);
        return None;
    };
    let (mut limit, mut within, mut backoff) = (None, None, None);
    let mut sound = true;
    for Entry { key, value } in entries {
        let (slot, read) = match key {
            None => {
                let advice = "leave `restart` out for a process without this limit";
                let number = Number { name: "restart", least: 1, most: u32::MAX.into(), advice };
                (&mut limit, number.read(value))
            }
            Some(key) if key == "within" => {
                let zero = Some("it is the time in which restarts are counted");
                (&mut within, Length { name: key.to_string(), zero }.read(value))
            }
            Some(key) if key == "backoff" => {
                (&mut backoff, Length { name: key.to_string(), zero: None }.read(value))
            }
            Some(key) => {
                complaints.about(key, words::unknown("argument", &key.to_string(), &NAMES));
                sound = false;
                continue;
            }
        };
        let read = complaints.catch(read);
        sound &= read.is_some();
        if slot.is_some() {
            match key {
                Some(key) => complaints.about(key, format!("`{key}` is set twice; remove one of them")),
                None => complaints.about(value, format!("one number of restarts is enough; {RESTART}")),
            }
        }
        *slot = read;
    }
    let setter = &setting.key;
    match (limit, within) {
        (Some(limit), Some(within)) => {
            let backoff = backoff.unwrap_or_else(|| quote! { __rt::Duration::from_millis(100) });
            Some(quote! { #setter(#limit, #within, #backoff) })
        }
        _ => {
            if sound {
                complaints.about(setter, RESTART);
            }
            None
        }
    }
}
