use super::*;

const TEXT: &str = "correct-horse-battery";

#[test]
fn nothing_prints_a_secret() {
    let secret = Secret::new(TEXT);
    let provider = Provider::literal(TEXT);
    for shown in [format!("{secret}"), format!("{secret:?}"), format!("{provider:?}")] {
        assert!(!shown.contains(TEXT), "{shown}");
    }
}

#[test]
fn every_source_gives_its_secret() {
    let path = std::env::temp_dir().join(format!("cucumber-secret-{}", std::process::id()));
    std::fs::write(&path, format!("{TEXT}\r\n")).unwrap();
    let file = Provider::file(&path).resolve();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(file.unwrap().expose(), TEXT);
    assert_eq!(Provider::literal(TEXT).resolve().unwrap().expose(), TEXT);
    assert_eq!(Provider::function(|| Ok::<_, BoxError>(TEXT)).resolve().unwrap().expose(), TEXT);
    // Some variable that any environment has.
    assert_eq!(Provider::env("PATH").resolve().unwrap().expose(), std::env::var("PATH").unwrap());
}

#[test]
fn a_source_that_fails_says_which() {
    let error = Provider::env("CUCUMBER_NO_SUCH_VARIABLE").resolve().unwrap_err();
    assert!(error.is_credential());
    assert!(error.to_string().contains("`CUCUMBER_NO_SUCH_VARIABLE`"), "{error}");
    let error = Provider::file("/no/such/file").resolve().unwrap_err();
    assert!(error.to_string().contains("/no/such/file"), "{error}");
    assert!(std::error::Error::source(&error).is_some());
    let error = Provider::function(|| Err::<Secret, _>("vault is sealed")).resolve().unwrap_err();
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "vault is sealed");
    let error = Provider::function(|| -> Result<Secret> { panic!("no {}", "vault") }).resolve().unwrap_err();
    assert!(error.is_credential());
    assert!(error.to_string().contains("panicked"), "{error}");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "no vault");
}

#[derive(Debug)]
struct Leaky {
    inner: std::io::Error,
}

impl fmt::Display for Leaky {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot log in")
    }
}

impl std::error::Error for Leaky {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.inner)
    }
}

#[test]
fn an_error_that_quotes_the_secret_loses_it() {
    let secret = Secret::new(TEXT);
    let leaky = Leaky { inner: std::io::Error::other(format!("password {TEXT} is wrong")) };
    let scrubbed = secret.scrub(Box::new(leaky));
    assert!(!format!("{scrubbed} {scrubbed:?}").contains(TEXT));
    assert_eq!(scrubbed.to_string(), "cannot log in: password [secret] is wrong");
    let harmless = secret.scrub(Box::new(Leaky { inner: std::io::Error::other("no route") }));
    assert!(harmless.is::<Leaky>());
}

#[test]
fn a_secret_is_found_however_it_is_quoted() {
    let said = |secret: &str, text: String| Secret::new(secret).scrub(text.into()).to_string();
    let odd = "q\"uo\\te\n\u{fc}\u{1f}";
    assert_eq!(said(odd, format!("refused {odd:?}!")), r#"refused "[secret]"!"#);
    assert_eq!(said(odd, format!("{:?}", format!("refused {odd:?}!"))), r#""refused \"[secret]\"!""#);
    assert_eq!(said(odd, format!("got b\"{}\"", odd.as_bytes().escape_ascii())), r#"got b"[secret]""#);
    assert_eq!(said("p@ss/w:rd", "x://u:p%40ss%2Fw%3Ard@h".into()), "x://u:[secret]@h");
    assert_eq!(said("p@ss/w:rd", "x://u:p%40ss%2fw:rd@h".into()), "x://u:[secret]@h");
    assert_eq!(said("two w\u{f6}rds", "?key=two+w%C3%b6rds&x".into()), "?key=[secret]&x");
    // One that looks like codes itself.
    assert_eq!(said("%25%zz", "a %25%zz, a %2525%25zz".into()), "a [secret], a [secret]");
    assert_eq!(said("abab", "ababab abab".into()), "[secret]ab [secret]");

    let error = Secret::new("q\"q\"q").scrub(Box::new(Leaky { inner: std::io::Error::other("q\"q\"q") }));
    assert_eq!(error.to_string(), "cannot log in: [secret]");
}

#[test]
fn a_short_secret_is_not_spelled_by_what_is_around_it() {
    for text in ["cannot help bob", "password p"] {
        let scrubbed = Secret::new("p").scrub(text.into()).to_string();
        assert!(scrubbed.contains("holds the secret") && !scrubbed.contains('['), "{scrubbed}");
    }
    assert_eq!(Secret::new("p").scrub("no route".into()).to_string(), "no route");
    let layered = Leaky { inner: std::io::Error::other("w0rd of xy") };
    let scrubbed = Secret::new("xy").scrub(Box::new(layered)).to_string();
    assert!(scrubbed.starts_with("cannot log in: ") && !scrubbed.contains("w0rd"), "{scrubbed}");
}
