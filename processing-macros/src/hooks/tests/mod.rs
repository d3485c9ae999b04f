mod complaints;
mod expansion;

use proc_macro2::TokenStream;
use quote::quote;

use super::*;

fn expand(arguments: TokenStream, item: TokenStream) -> (String, Vec<String>) {
    let mut complaints = Complaints::default();
    let settings = crate::skprocess::settings(arguments, &mut complaints);
    let tokens = expansion(&settings, syn::parse2(item).unwrap(), &mut complaints);
    (tokens.to_string().split_whitespace().collect(), complaints.messages())
}

fn expanded(item: TokenStream) -> String {
    let (tokens, complaints) = expand(quote!(), item);
    assert_eq!(complaints, Vec::<String>::new());
    tokens
}
