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
