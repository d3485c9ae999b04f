//! Which providers there are, and what each is given.

use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::{Attribute, Expr, ExprCall, ExprLit, Ident, Lit, LitStr, Meta, Path, Type};

use super::parse::{Entries, Entry, Named};
use super::{is_ours, remnant};
use crate::complaints::Complaints;
use crate::words;

const PROVIDERS: [&str; 3] = ["env", "file", "function"];
const FORMS: &str =
    "write `env(\"NAME\")`, `file(\"/path\")`, the path of a function, or the secret itself as a string";

/// What `#[autoreconnect]` says.
#[derive(Default)]
pub(crate) struct Credentials {
    pub(crate) known: Vec<Credential>,
    /// Stands in for the attribute that was taken off the struct.
    pub(crate) remnant: Option<TokenStream>,
}

/// The credential of one field, or of every field, of one type.
pub(crate) struct Credential {
    pub(crate) ty: Type,
    pub(crate) name: LitStr,
    pub(crate) provider: Provider,
}

/// Where a secret comes from when a connection is made.
pub(crate) enum Provider {
    Env(Expr),
    File(Expr),
    Function(Expr),
    Literal(LitStr),
}

impl Credentials {
    /// Takes our attribute off the struct, if it is there.
    pub(crate) fn take(attrs: &mut Vec<Attribute>, complaints: &mut Complaints) -> Option<Self> {
        let mut taken = None;
        for attr in attrs.extract_if(.., |attr| is_ours(attr)) {
            if taken.is_some() {
                complaints.about(attr.path(), "one `#[autoreconnect]` is enough: list all types in it");
                continue;
            }
            taken = Some(Self::read(&attr, complaints));
        }
        taken
    }

    fn read(attr: &Attribute, complaints: &mut Complaints) -> Self {
        let entries = match &attr.meta {
            Meta::List(list) => complaints.catch(list.parse_args::<Entries>()),
            Meta::Path(_) | Meta::NameValue(_) => Some(Entries(Vec::new())),
        };
        let mut credentials = Self { remnant: remnant(attr), ..Self::default() };
        let Some(Entries(entries)) = entries else { return credentials };
        if entries.is_empty() {
            complaints.about(
                attr.path(),
                "say what to reconnect with: `#[autoreconnect(postgres::Client = { \"*\": env(\"PGPASSWORD\") })]`; \
                 resources without a secret reconnect by themselves",
            );
        }
        let mut types = Vec::new();
        for entry in entries {
            let spelled = entry.ty.to_token_stream().to_string();
            if types.contains(&spelled) {
                complaints.about(&entry.ty, "this type is listed twice; merge its credentials");
            }
            types.push(spelled);
            credentials.add(entry, complaints);
        }
        credentials
    }

    fn add(&mut self, entry: Entry, complaints: &mut Complaints) {
        let Entry { ty, braces, credentials } = entry;
        if credentials.is_empty() {
            complaints.add(syn::Error::new(
                braces,
                "no credential here; write `{ \"*\": env(\"PGPASSWORD\") }`, or leave the type out",
            ));
        }
        let mut names = Vec::new();
        for Named { name, provider } in credentials {
            if name.value().is_empty() {
                complaints
                    .about(&name, "this is no field's name; `\"*\"` stands for every field of the type");
            }
            if names.contains(&name.value()) {
                complaints.about(&name, "this name is listed twice; remove one of them");
            }
            names.push(name.value());
            if let Some(provider) = complaints.catch(Provider::read(provider)) {
                self.known.push(Credential { ty: ty.clone(), name, provider });
            }
        }
    }
}

impl Provider {
    fn read(written: Expr) -> syn::Result<Self> {
        match written {
            Expr::Group(group) => Self::read(*group.expr),
            Expr::Paren(paren) => Self::read(*paren.expr),
            Expr::Lit(ExprLit { lit: Lit::Str(secret), .. }) => Ok(Self::Literal(secret)),
            Expr::Path(path) => match path.path.get_ident().map(Ident::to_string) {
                Some(word) if PROVIDERS.contains(&word.as_str()) => Err(bare(&path.path, &word)),
                _ => Ok(Self::Function(Expr::Path(path))),
            },
            Expr::Closure(closure) => Ok(Self::Function(Expr::Closure(closure))),
            Expr::Call(call) => Self::call(call),
            other => Err(syn::Error::new_spanned(other, format!("this provides no secret; {FORMS}"))),
        }
    }

    fn call(call: ExprCall) -> syn::Result<Self> {
        let word = match &*call.func {
            Expr::Path(path) => path.path.get_ident().map(Ident::to_string),
            _ => None,
        };
        let Some(word) = word.filter(|word| PROVIDERS.contains(&word.as_str())) else {
            let Expr::Path(path) = &*call.func else {
                return Err(syn::Error::new_spanned(call.func, format!("this provides no secret; {FORMS}")));
            };
            let called = path.path.to_token_stream().to_string().replace(' ', "");
            let advice = match words::closest(&called, PROVIDERS) {
                Some(meant) => format!("did you mean `{meant}(…)`?"),
                None if call.args.is_empty() => {
                    format!(
                        "write `{called}` without parentheses for a function to be called at connect time"
                    )
                }
                None => FORMS.into(),
            };
            return Err(syn::Error::new_spanned(path, format!("unknown provider `{called}`; {advice}")));
        };
        let count = call.args.len();
        match call.args.into_iter().next() {
            Some(argument) if count == 1 => Ok(match word.as_str() {
                "env" => Self::Env(argument),
                "file" => Self::File(argument),
                _ => Self::Function(argument),
            }),
            _ => Err(syn::Error::new_spanned(
                call.func,
                format!("`{word}` takes one argument; write `{}`", example(&word)),
            )),
        }
    }
}

/// A provider's name where its call should be.
fn bare(written: &Path, word: &str) -> syn::Error {
    syn::Error::new_spanned(written, format!("`{word}` takes one argument; write `{}`", example(word)))
}

fn example(word: &str) -> &'static str {
    match word {
        "env" => "env(\"PGPASSWORD\")",
        "file" => "file(\"/run/secrets/password\")",
        _ => "function(my_crate::password)",
    }
}
