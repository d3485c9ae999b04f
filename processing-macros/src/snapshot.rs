//! Whole expansions, kept as files so that their growth shows in review.
//!
//! `BLESS=1 cargo test -p processing-macros` writes them anew.

use std::path::Path;

use proc_macro2::TokenStream;
use quote::quote;

fn holds(name: &str, expansion: TokenStream) {
    let file = syn::parse2(expansion).expect("an expansion is a list of items");
    let written = prettyplease::unparse(&file);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expansions").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &written).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == written, "{} differs; see it with BLESS=1 and `git diff`", path.display());
}

#[test]
fn a_struct() {
    let expansion = crate::skprocess::attribute(
        quote!(lives = 3, timeouts(run = "30s"), checkpoint = every(10)),
        quote! {
            /// Asks the database.
            #[autoreconnect(postgres::Client = { "*": env("PGPASSWORD") })]
            #[derive(Debug)]
            pub struct DatabaseWorker {
                db: Live<postgres::Client>,
                query: Option<Query>,
            }
        },
    );
    holds("struct.rs", expansion);
}

#[test]
fn a_generic_struct_of_one_field() {
    let expansion = crate::skprocess::attribute(
        quote!(),
        quote! {
            struct Sum<T: Copy>(Vec<T>)
            where
                T: Add;
        },
    );
    holds("generic_struct.rs", expansion);
}

#[test]
fn an_impl() {
    let expansion = crate::skprocess::attribute(
        quote!(),
        quote! {
            impl DatabaseWorker {
                fn new(query: Query, limit: u64) -> Self {
                    Self::connect(query, limit)
                }
                fn run(&mut self) -> anyhow::Result<()> {
                    self.ask()
                }
                async fn postrun(&mut self) -> Result<(), Lost> {
                    self.answer().await
                }
                fn onfinish(&mut self) {
                    self.db.close();
                }
                fn result(&mut self) -> anyhow::Result<Vec<User>> {
                    Ok(take(&mut self.rows))
                }
                fn error(&mut self, error: ProcessError) -> Result<Vec<User>, ProcessError> {
                    Err(error)
                }
            }
        },
    );
    holds("impl.rs", expansion);
}
