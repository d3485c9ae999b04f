//! Holds each hook to its signature, and finds the ones that were meant to be hooks.

use quote::ToTokens as _;
use syn::{FnArg, GenericParam, Ident, ItemImpl, Safety, Signature, Type};

use super::parse::{Constructor, Hook, Returns, SelfBy, functions, plain, self_by};
use crate::complaints::Complaints;
use crate::phase::Phase;
use crate::runtime::Runtime;
use crate::skprocess::{Setting, krate};
use crate::words;

/// An impl with at least one hook, and all that the expansion needs of it.
pub(crate) struct Hooks {
    pub(crate) item: ItemImpl,
    pub(crate) runtime: Runtime,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) constructor: Option<Constructor>,
}

impl Hooks {
    /// Fails with the impl itself when it cannot hold hooks at all.
    pub(crate) fn check(
        settings: &[Setting],
        item: ItemImpl,
        complaints: &mut Complaints,
    ) -> Result<Self, Box<ItemImpl>> {
        let runtime = runtime(settings, complaints);
        if !holds_hooks(&item, complaints) {
            return Err(Box::new(item));
        }
        let mut hooks: Vec<Hook> = Vec::new();
        let mut run_was_meant = false;
        let written: Vec<String> = functions(&item).map(|(sig, _)| sig.ident.to_string()).collect();
        for (sig, attrs) in functions(&item) {
            let name = sig.ident.to_string();
            if let Some(phase) = Phase::named(&name) {
                run_was_meant |= phase == Phase::Run;
                let hook = Hook::parse(phase, sig, attrs);
                let doubled = hooks.iter().any(|other| other.phase == phase && other.cfgs.is_empty());
                // The compiler says it already when two functions have one name.
                if has_the_right_signature(&hook, complaints) && !doubled {
                    hooks.push(hook);
                }
            } else if let Some(meant) = misspelled(sig, &written) {
                run_was_meant |= meant == Phase::Run;
                complaints.about(&sig.ident, misspelling(&name, meant));
            }
        }
        if !run_was_meant {
            complaints.about(
                &item.self_ty,
                "a process needs the hook `run`; write `fn run(&mut self) { … }` in this impl",
            );
        }
        let constructor =
            functions(&item).find_map(|(sig, attrs)| Constructor::parse(sig, attrs, &item.self_ty));
        Ok(Self { item, runtime, hooks, constructor })
    }
}

/// The impl's attribute only says where the runtime is; everything else belongs to the struct's.
fn runtime(settings: &[Setting], complaints: &mut Complaints) -> Runtime {
    let mut runtime = Runtime::default();
    for setting in settings {
        if setting.key == "crate" {
            runtime = krate(setting, complaints).unwrap_or_default();
        } else {
            complaints.about(
                &setting.key,
                format!(
                    "`{}` configures the process; move it to the `#[skprocess]` on the struct",
                    setting.key
                ),
            );
        }
    }
    runtime
}

fn holds_hooks(item: &ItemImpl, complaints: &mut Complaints) -> bool {
    if let Some((path, _)) = &item.trait_ {
        let ty = item.self_ty.to_token_stream().to_string().replace(' ', "");
        complaints.about(
            path,
            format!(
                "hooks are methods of the type itself; write `#[skprocess] impl {ty} {{ … }}` for them and leave \
                 the impl of a trait without the attribute"
            ),
        );
        return false;
    }
    if !matches!(plain(&item.self_ty), Type::Path(_)) {
        complaints.about(&item.self_ty, "only a struct of your own can be a process; wrap this type in one");
        return false;
    }
    let mut borrows = false;
    for param in &item.generics.params {
        if let GenericParam::Lifetime(param) = param {
            borrows = true;
            complaints.about(param, "a process cannot borrow; own the data in the struct instead");
        }
    }
    !borrows
}

/// The hook that a function was meant to be.
fn misspelled(sig: &Signature, written: &[String]) -> Option<Phase> {
    let name = sig.ident.to_string();
    let by_reference = self_by(sig) == SelfBy::Reference;
    let free = |phase: &Phase| !written.iter().any(|name| name == phase.name());
    let same_letters = |phase: &Phase| words::letters(&name) == phase.name();
    if let Some(phase) = Phase::ALL.into_iter().find(same_letters) {
        // Beside the real hook, `run_(&mut self, item: Item)` is a helper with a telling name.
        let could_be_one = by_reference && sig.inputs.len() == arguments(phase);
        return (could_be_one || free(&phase)).then_some(phase);
    }
    let only_self = by_reference && sig.inputs.len() == 1;
    if name.len() < 6 || !only_self {
        return None;
    }
    words::closest(&name, Phase::NAMES).and_then(Phase::named).filter(free)
}

fn misspelling(name: &str, meant: Phase) -> String {
    let meant = meant.name();
    let helper = if words::letters(name) == meant {
        ""
    } else {
        " If it is a helper, move it to an impl without `#[skprocess]`"
    };
    format!("unknown hook `{name}`; did you mean `{meant}`?{helper}")
}

/// How many arguments a hook has, `self` among them.
fn arguments(phase: Phase) -> usize {
    if phase == Phase::Error { 2 } else { 1 }
}

/// What to write for a hook that is written wrongly.
fn form(phase: Phase) -> &'static str {
    match phase {
        Phase::Prerun => "fn prerun(&mut self)",
        Phase::Run => "fn run(&mut self)",
        Phase::Postrun => "fn postrun(&mut self)",
        Phase::OnFinish => "fn onfinish(&mut self)",
        Phase::Result => "fn result(&mut self) -> Output",
        Phase::Error => "fn error(&mut self, error: ProcessError) -> Result<Output, ProcessError>",
    }
}

/// Complains about each token that keeps the runtime from calling the hook.
fn has_the_right_signature(hook: &Hook, complaints: &mut Complaints) -> bool {
    let (phase, sig) = (hook.phase, &hook.sig);
    let (name, form) = (hook.name(), form(phase));
    let mut found = Vec::new();
    let mut wrong = |tokens: proc_macro2::TokenStream, message: String| found.push((tokens, message));

    if let Some(constness) = &sig.constness {
        wrong(
            constness.to_token_stream(),
            format!("`{name}` runs in another process, not at compile time; remove `const`"),
        );
    }
    if let Safety::Unsafe(token) = &sig.safety {
        wrong(
            token.to_token_stream(),
            format!("`{name}` is called by the runtime, which makes no promises; remove `unsafe`"),
        );
    }
    if let Some(abi) = &sig.abi {
        wrong(abi.to_token_stream(), format!("`{name}` is called from Rust; remove `extern`"));
    }
    if !sig.generics.params.is_empty() {
        let message =
            format!("nobody could choose this parameter of `{name}`; move it to the impl and the struct");
        wrong(sig.generics.params.to_token_stream(), message);
    } else if let Some(clause) = &sig.generics.where_clause {
        wrong(clause.to_token_stream(), format!("`{name}` is always called; move this clause to the impl"));
    }
    match self_by(sig) {
        SelfBy::Reference => {}
        SelfBy::Value => {
            let receiver = sig.receiver().to_token_stream();
            wrong(receiver, format!("`{name}` borrows the process; write `{form}`"));
        }
        SelfBy::Nothing => wrong(name.to_token_stream(), format!("`{name}` is a method; write `{form}`")),
    }
    let others = || sig.inputs.iter().filter(|argument| matches!(argument, FnArg::Typed(_)));
    let expected = arguments(phase) - 1;
    if others().count() < expected {
        wrong(name.to_token_stream(), format!("`{name}` is given the error; write `{form}`"));
    }
    for surplus in others().skip(expected) {
        let message = match phase {
            Phase::Error => format!("`{name}` is given the error only; write `{form}`"),
            _ => format!("`{name}` takes nothing but `self`; keep what it needs in a field"),
        };
        wrong(surplus.to_token_stream(), message);
    }
    if others().count() == expected {
        returns_something_useful(hook, &mut wrong);
    }

    let sound = found.is_empty();
    for (tokens, message) in found {
        complaints.about(tokens, message);
    }
    sound
}

/// What the type checker could not say as clearly.
fn returns_something_useful(hook: &Hook, wrong: &mut impl FnMut(proc_macro2::TokenStream, String)) {
    let name = hook.name();
    match (hook.phase, &hook.returns) {
        (Phase::Error, Returns::Unit) => wrong(
            name.to_token_stream(),
            format!(
                "`{name}` decides how the process ends; write `{}`: `Ok(value)` becomes the result, \
                 `Err(error)` is what it fails with",
                form(Phase::Error)
            ),
        ),
        (Phase::Error, _) | (_, Returns::Unit) => {}
        (Phase::Result, Returns::Fallible { value, ty }) => {
            sendable(name, value.as_ref().unwrap_or(ty), wrong)
        }
        (Phase::Result, Returns::Other(ty)) => sendable(name, ty, wrong),
        (_, Returns::Fallible { .. }) => {}
        (_, Returns::Other(ty)) => {
            let message = match plain(ty) {
                Type::Never(_) => {
                    format!(
                        "`{name}` returns once an iteration is done; the runtime calls it again until `stop()`"
                    )
                }
                Type::ImplTrait(_) => format!("`{name}` returns nothing or a `Result<(), E>`"),
                _ => return,
            };
            wrong(ty.to_token_stream(), message);
        }
    }
}

/// A result is sent to the parent, so its type must have a name and own what it holds.
fn sendable(name: &Ident, ty: &Type, wrong: &mut impl FnMut(proc_macro2::TokenStream, String)) {
    let advice = match plain(ty) {
        Type::Never(_) => "`result` has to return; write the type of the value, or leave the hook out",
        Type::ImplTrait(_) => {
            "this value is sent to the parent, who has to know its type; write the type's name"
        }
        Type::Reference(_) => "this value is sent to the parent; return one that owns its data",
        _ => return,
    };
    debug_assert_eq!(name, "result");
    wrong(ty.to_token_stream(), advice.into());
}
