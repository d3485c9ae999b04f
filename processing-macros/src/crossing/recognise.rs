//! Which types in a field need an adapter, and which adapter that is.
//!
//! Types are known by the last word of their path only. That is enough to make an offer: the generated code takes it where the
//! compiler finds that it fits, and serde where it does not (`cucumber::cross::via`).

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Attribute, GenericArgument, Generics, Path, PathArguments, Type, TypePath};

/// Whole, and known to `Cross`.
const LEAVES: &[&str] = &[
    "File",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
    "UnixDatagram",
    "OwnedFd",
    "OwnedHandle",
    "OwnedSocket",
    "PipeReader",
    "PipeWriter",
    "ChildStdin",
    "ChildStdout",
    "ChildStderr",
    "Instant",
    "SystemTime",
    "PathBuf",
    "Condvar",
    "Command",
    "ExitStatus",
    "Output",
    "Error",
    "ErrorKind",
    "Regex",
    "RangeInclusive",
    "IntoIter",
    "Rev",
    "StepBy",
    "Cursor",
    "BufReader",
    "BufWriter",
    "Span",
    "Dispatch",
    "Level",
    "LevelFilter",
];

const SHARED: &[&str] = &["Rc", "Arc", "Weak"];
const LOCKS: &[&str] = &["Mutex", "RwLock", "RefCell", "OnceLock", "OnceCell"];

/// Containers whose elements may need an adapter; the number is how many of the type's parameters are elements.
const CONTAINERS: &[(&str, usize)] = &[
    ("Option", 1),
    ("Vec", 1),
    ("VecDeque", 1),
    ("LinkedList", 1),
    ("Box", 1),
    ("BTreeSet", 1),
    ("HashSet", 1),
    ("BinaryHeap", 1),
    ("BTreeMap", 2),
    ("HashMap", 2),
    ("Result", 2),
    ("Cell", 1),
    ("Bound", 1),
    ("Range", 1),
    ("RangeFrom", 1),
    ("RangeTo", 1),
];

/// What has a value without being told one, so that it can stand in for a reference which is not there yet.
const EMPTY: &[&str] =
    &["Option", "Vec", "VecDeque", "LinkedList", "BTreeSet", "HashSet", "BinaryHeap", "BTreeMap", "HashMap"];

const REFUSED: &[(&str, &str)] = &[
    ("Child", "child"),
    ("Receiver", "queue"),
    ("Sender", "queue"),
    ("SyncSender", "queue"),
    ("UnboundedReceiver", "queue"),
    ("UnboundedSender", "queue"),
    ("SegQueue", "queue"),
    ("ArrayQueue", "queue"),
    ("Injector", "queue"),
    ("JoinHandle", "thread"),
    ("LazyLock", "lazy"),
    ("LazyCell", "lazy"),
    ("Barrier", "barrier"),
];

/// One type that needs an adapter: an implementation of it for the helper with this number.
pub(super) struct Node {
    pub(super) ty: Type,
    /// The adapter to be tried.
    pub(super) offer: TokenStream,
    /// The module with the choices, and with the complaint if there is none.
    pub(super) choices: TokenStream,
    /// The conditions under which its field exists.
    pub(super) cfgs: Vec<Attribute>,
}

/// Finds the adapters of all types in a struct, numbering them.
pub(super) struct Recogniser<'r> {
    /// The helper's name: its parameter is a node's number.
    pub(super) helper: &'r Ident,
    /// The item's parameters.
    pub(super) generics: &'r Generics,
    pub(super) nodes: Vec<Node>,
}

impl Recogniser<'_> {
    /// The adapter of a field, if its type needs one. `owner` is the struct around it, if that can be set right later.
    pub(super) fn field(&mut self, ty: &Type, owner: Option<TokenStream>) -> Option<TokenStream> {
        let adapter = self.adapter(ty)?;
        if !holds_shared(ty) || !has_empty(ty) {
            // What is in a cell may hide what its type does not show.
            let Some(owner) = owner else { return Some(adapter) };
            return Some(self.node(ty, quote!(__rt::cross::Refilled<#adapter, #owner>), quote!(choosing)));
        }
        let owner = owner.unwrap_or_else(|| quote!(()));
        Some(self.node(ty, quote!(__rt::cross::Edges<#adapter, #owner>), quote!(choosing)))
    }

    fn node(&mut self, ty: &Type, offer: TokenStream, choices: TokenStream) -> TokenStream {
        let number = Literal::usize_unsuffixed(self.nodes.len());
        let helper = self.helper;
        self.nodes.push(Node { ty: ty.clone(), offer, choices, cfgs: Vec::new() });
        quote!(#helper<#number>)
    }

    fn adapter(&mut self, ty: &Type) -> Option<TokenStream> {
        match ty {
            Type::Paren(inner) => self.adapter(&inner.elem),
            Type::Group(inner) => self.adapter(&inner.elem),
            Type::FnPtr(_) => Some(self.node(ty, quote!(__rt::cross::Function), quote!(choosing))),
            Type::Array(array) => {
                let element = self.adapter(&array.elem)?;
                let len = &array.len;
                Some(self.node(ty, quote!([#element; #len]), quote!(choosing)))
            }
            Type::Tuple(tuple) => {
                let parts = self.parts(tuple.elems.iter())?;
                Some(self.node(ty, quote!((#(#parts,)*)), quote!(choosing)))
            }
            Type::Path(path) => self.path(ty, path),
            _ => None,
        }
    }

    fn path(&mut self, ty: &Type, path: &TypePath) -> Option<TokenStream> {
        if self.is_of_parameter(path) {
            return None;
        }
        let name = word(path)?;
        if LEAVES.contains(&name.as_str()) {
            return Some(self.node(ty, quote!(__rt::cross::Cross), quote!(choosing)));
        }
        if let Some((_, kind)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
            let kind = Ident::new(kind, Span::call_site());
            return Some(self.node(ty, quote!(()), quote!(refused::#kind)));
        }
        let arguments = types(path);
        if SHARED.contains(&name.as_str()) || LOCKS.contains(&name.as_str()) {
            let [held] = arguments[..] else { return None };
            let held = match held {
                Type::Slice(slice) => {
                    self.adapter(&slice.elem).map(|element| quote!(__rt::cross::Slice<#element>))
                }
                held => self.adapter(held),
            };
            let held = held.unwrap_or_else(|| quote!(__rt::cross::Same));
            let offer = if SHARED.contains(&name.as_str()) { quote!(Shared) } else { quote!(Locked) };
            return Some(self.node(ty, quote!(__rt::cross::#offer<#held>), quote!(choosing)));
        }
        if name == "Box"
            && let [Type::Slice(slice)] = arguments[..]
        {
            let element = self.adapter(&slice.elem)?;
            let container = without_arguments(&path.path);
            return Some(self.node(ty, quote!(#container<[#element]>), quote!(choosing)));
        }
        if name == "Reverse" {
            let [turned] = arguments[..] else { return None };
            let turned = self.adapter(turned)?;
            return Some(self.node(ty, quote!(__rt::cross::Turned<#turned>), quote!(choosing)));
        }
        let (_, count) = CONTAINERS.iter().find(|(container, _)| *container == name)?;
        if arguments.len() < *count {
            return None;
        }
        let mut parts = self.parts(arguments[..*count].iter().copied())?;
        // A hasher is not written, and stays.
        parts.extend(arguments[*count..].iter().map(|rest| quote!(#rest)));
        let container = without_arguments(&path.path);
        Some(self.node(ty, quote!(#container<#(#parts),*>), quote!(choosing)))
    }

    /// Whether it is a type that a parameter calls its own, as in `T::Output`: whatever that may be.
    fn is_of_parameter(&self, path: &TypePath) -> bool {
        let segments = &path.path.segments;
        segments.len() > 1 && self.generics.type_params().any(|param| param.ident == segments[0].ident)
    }

    /// The adapters of some types, if any of them needs one.
    fn parts<'t>(&mut self, types: impl Iterator<Item = &'t Type>) -> Option<Vec<TokenStream>> {
        let found: Vec<_> = types.map(|ty| self.adapter(ty)).collect();
        let needed = found.iter().any(Option::is_some);
        needed.then(|| {
            found.into_iter().map(|part| part.unwrap_or_else(|| quote!(__rt::cross::Same))).collect()
        })
    }
}

/// The last word of a path, unless it is relative to a type.
fn word(path: &TypePath) -> Option<String> {
    if path.qself.is_some() {
        return None;
    }
    path.path.segments.last().map(|last| last.ident.to_string())
}

/// The type's parameters that are types.
fn types(path: &TypePath) -> Vec<&Type> {
    match path.path.segments.last().map(|last| &last.arguments) {
        Some(PathArguments::AngleBracketed(arguments)) => {
            let types = arguments.args.iter().filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            });
            types.collect()
        }
        _ => Vec::new(),
    }
}

fn without_arguments(path: &Path) -> Path {
    let mut path = path.clone();
    if let Some(last) = path.segments.last_mut() {
        last.arguments = PathArguments::None;
    }
    path
}

/// Whether a shared value is anywhere in the type.
fn holds_shared(ty: &Type) -> bool {
    struct Finder(bool);
    impl<'ast> Visit<'ast> for Finder {
        fn visit_type_path(&mut self, path: &'ast TypePath) {
            self.0 |= word(path).is_some_and(|name| SHARED.contains(&name.as_str()));
            visit::visit_type_path(self, path);
        }
    }
    let mut finder = Finder(false);
    finder.visit_type(ty);
    finder.0
}

/// Whether the type has an empty value.
fn has_empty(ty: &Type) -> bool {
    match ty {
        Type::Paren(inner) => has_empty(&inner.elem),
        Type::Group(inner) => has_empty(&inner.elem),
        Type::Tuple(tuple) => tuple.elems.iter().all(has_empty),
        Type::Path(path) => match word(path).as_deref() {
            Some("OnceLock" | "OnceCell") => true,
            Some("Mutex" | "RwLock" | "RefCell" | "Box") => {
                types(path).first().is_some_and(|held| has_empty(held) || is_weak(held))
            }
            Some(name) => EMPTY.contains(&name),
            None => false,
        },
        _ => false,
    }
}

fn is_weak(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if word(path).as_deref() == Some("Weak"))
}

/// Whether new content can be stored into the type through a shared reference.
pub(super) fn is_cell(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if word(path).is_some_and(|name| LOCKS.contains(&name.as_str())))
}

/// The parameters that a type mentions; an implementation about it has these and no others.
pub(super) fn mentioned(ty: &Type, generics: &Generics) -> Generics {
    let words = words(quote!(#ty));
    let (mut kept, mut absent) = (Generics::default(), Vec::new());
    for param in &generics.params {
        let name = match param {
            syn::GenericParam::Type(param) => param.ident.to_string(),
            syn::GenericParam::Const(param) => param.ident.to_string(),
            syn::GenericParam::Lifetime(param) => param.lifetime.ident.to_string(),
        };
        if words.contains(&name) {
            kept.params.push(param.clone());
        } else {
            absent.push(name);
        }
    }
    // A bound that names another parameter cannot be kept, and what is kept has no need of it.
    let is_kept = |bound: TokenStream| {
        let named = self::words(bound);
        !absent.iter().any(|name| named.contains(name))
    };
    for param in kept.type_params_mut() {
        param.bounds = param.bounds.iter().filter(|bound| is_kept(quote!(#bound))).cloned().collect();
    }
    let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    for predicate in predicates.filter(|predicate| is_kept(quote!(#predicate))) {
        kept.make_where_clause().predicates.push(predicate.clone());
    }
    kept
}

fn words(tokens: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            proc_macro2::TokenTree::Ident(ident) => found.push(ident.to_string()),
            proc_macro2::TokenTree::Group(group) => found.extend(words(group.stream())),
            _ => {}
        }
    }
    found
}

/// The type with `Self` spelled out, since it is going to stand elsewhere.
pub(super) fn spelled_out(ty: &Type, this: &TokenStream) -> Type {
    fn replace(tokens: TokenStream, this: &TokenStream) -> TokenStream {
        let replaced = tokens.into_iter().map(|token| match token {
            proc_macro2::TokenTree::Ident(ident) if ident == "Self" => {
                let span = ident.span();
                quote_spanned!(span=> #this)
            }
            proc_macro2::TokenTree::Group(group) => {
                let mut inner = proc_macro2::Group::new(group.delimiter(), replace(group.stream(), this));
                inner.set_span(group.span());
                TokenStream::from(proc_macro2::TokenTree::Group(inner))
            }
            other => TokenStream::from(other),
        });
        replaced.collect()
    }
    let _ = ty.span();
    syn::parse2(replace(quote!(#ty), this)).unwrap_or_else(|_| ty.clone())
}
