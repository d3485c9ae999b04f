//! The one place that spells where generated code finds its runtime.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{LitStr, Path, parse_quote};

/// The path of `processing`'s hidden module, as this expansion has to write it.
pub(crate) struct Runtime {
    path: Path,
}

impl Default for Runtime {
    fn default() -> Self {
        Self { path: parse_quote!(::processing::__private) }
    }
}

impl Runtime {
    /// That of `cucumber` alone.
    pub(crate) fn cucumber() -> Self {
        Self { path: parse_quote!(::cucumber::__private) }
    }

    /// The runtime of a re-exported `processing`, from the value of `crate = "…"`.
    pub(crate) fn within(written: &LitStr) -> syn::Result<Self> {
        let mut path = written.parse_with(Path::parse_mod_style).map_err(|_| {
            syn::Error::new(
                written.span(),
                "this is no path to a crate; write it like `crate = \"::my_crate::processing\"`",
            )
        })?;
        path.segments.push(format_ident!("__private", span = written.span()).into());
        Ok(Self { path })
    }

    /// Opens a generated block: within it everything is called `__rt::…`.
    pub(crate) fn alias(&self) -> TokenStream {
        let path = &self.path;
        quote! { use #path as __rt; }
    }

    /// The whole path, for tokens that stand outside such a block.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where serde's derives find serde, in the form their `crate` argument wants.
    pub(crate) fn serde(&self) -> LitStr {
        let path = &self.path;
        let spelled: String = quote!(#path::serde).to_string().split_whitespace().collect();
        LitStr::new(&spelled, Span::call_site())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stands_in_the_published_crate_unless_told_otherwise() {
        assert_eq!(
            Runtime::default().alias().to_string(),
            quote!(
                use ::processing::__private as __rt;
            )
            .to_string()
        );
        let elsewhere = Runtime::within(&parse_quote!("crate::vendored")).unwrap();
        assert_eq!(
            elsewhere.alias().to_string(),
            quote!(
                use crate::vendored::__private as __rt;
            )
            .to_string()
        );
        assert_eq!(elsewhere.serde().value(), "crate::vendored::__private::serde");
    }

    #[test]
    fn refuses_what_is_no_path() {
        assert!(Runtime::within(&parse_quote!("not a path")).is_err());
        assert!(Runtime::within(&parse_quote!("")).is_err());
    }
}
