//! A live HTTP client crosses without its secret, and gives it to nobody but the server that it is for.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use cucumber::{AnyLive, Credentials, HttpRecipe, Live, Provider, Reconnect, Scope, reconnect_until};
use serde::{Deserialize, Serialize};
use support::servers::{self, LONGEST, patience};
use ureq::Agent;

const TOKEN: &str = "tok-4f1e6bd29a";

#[derive(Serialize, Deserialize)]
struct Worker {
    api: Live<Agent>,
}

/// A server that answers each request as `answer` says, and tells what it was asked.
fn server(answer: impl Fn(&[String]) -> String + Send + 'static) -> (String, Receiver<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (asked, requests) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream: TcpStream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let mut request = Vec::new();
            while let Some(Ok(line)) = lines.next() {
                if line.is_empty() {
                    break;
                }
                request.push(line);
            }
            let answer = answer(&request);
            let _ = write!(stream, "HTTP/1.1 {answer}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
            if asked.send(request).is_err() {
                break;
            }
        }
    });
    (url, requests)
}

fn has(request: &[String], header: &str) -> bool {
    request.iter().any(|line| line.eq_ignore_ascii_case(header))
}

fn next(requests: &Receiver<Vec<String>>) -> Vec<String> {
    requests.recv_timeout(LONGEST).expect("a request")
}

/// Lets `TOKEN` in.
fn guarded() -> (String, Receiver<Vec<String>>) {
    server(|request| match has(request, &format!("authorization: Bearer {TOKEN}")) {
        true => "200 OK".to_owned(),
        false => "401 Unauthorized".to_owned(),
    })
}

#[test]
fn the_token_stays_and_the_provider_s_is_used() {
    let (url, requests) = guarded();
    let recipe = HttpRecipe::new(&url).unwrap().bearer().check("/health/deep").unwrap();
    let recipe = recipe.header("X-Team", "orders").unwrap().user_agent("shop/1").timeout(LONGEST);
    let here = Worker { api: Live::connect(recipe, Some(Provider::literal(TOKEN))).unwrap() };
    let request = next(&requests);
    assert_eq!(request[0], "GET /health/deep HTTP/1.1");
    assert!(has(&request, "x-team: orders") && has(&request, "user-agent: shop/1"), "{request:?}");
    servers::is_discreet(&here.api, &[TOKEN]);
    let agent = format!("{:?} {:?}", here.api.connection().unwrap(), here.api.config());
    assert!(!agent.contains(TOKEN), "{agent}");
    let bytes = cucumber::to_bytes(&here).unwrap();

    let there: Worker = cucumber::from_bytes(&bytes).unwrap();
    assert!(there.api.connection().map(drop).unwrap_err().is_credential());

    let mut credentials = Credentials::new();
    credentials.insert::<Agent>("api", Provider::literal(TOKEN));
    let scope = Scope::new().with_credentials(credentials.clone());
    let there: Worker = cucumber::decode_with(&bytes, scope).unwrap();
    assert_eq!(there.api.get(format!("{url}/orders")).call().unwrap().status(), 200);
    assert!(next(&requests)[0].contains("/health"));
    let request = next(&requests);
    assert!(request[0].contains("/orders") && has(&request, "x-team: orders"), "{request:?}");

    // A wrong one is no matter of patience, and is in no error.
    credentials.insert::<Agent>("*", Provider::literal("wr0ng-secret"));
    let mut api = Live::<Agent>::new(here.api.recipe().clone());
    let report = reconnect_until(&mut api, &credentials, patience());
    let words = format!("{report:?}");
    assert!(words.contains("401") && !words.contains("wr0ng-secret"), "{words}");
    credentials.insert::<Agent>("*", Provider::literal("two\nlines-of-secret"));
    let words = format!("{:?}", reconnect_until(&mut api, &credentials, patience()));
    assert!(words.contains("no header can hold") && !words.contains("lines-of-secret"), "{words}");
}

#[test]
fn a_name_and_password_of_a_url_are_for_its_server_alone() {
    let (elsewhere, strays) = server(|_| "200 OK".to_owned());
    let target = elsewhere.clone();
    let (url, requests) = server(move |request| {
        if request[0].contains("/moved") {
            format!("302 Found\r\nlocation: {target}/there")
        } else {
            "200 OK".into()
        }
    });
    let login = url.replace("http://", "HTTP://sh%20op:p%40ss%3A%2F9d3@");
    let api = Live::<Agent>::open(&format!("{login}/")).unwrap();
    assert_eq!(api.recipe().server(), url);
    // "sh op:p@ss:/9d3"
    let authorization = "authorization: Basic c2ggb3A6cEBzczovOWQz";
    servers::is_discreet(&api, &["p%40ss", "p@ss:/9d3", "c2ggb3A6cEBzczovOWQz"]);
    api.get(format!("{url}/here")).call().unwrap();
    assert!(has(&next(&requests), authorization));
    api.get(format!("{elsewhere}/other")).call().unwrap();
    assert!(!next(&strays).join(" ").contains("uthorization"));
    api.get(format!("{url}/moved")).call().unwrap();
    assert!(has(&next(&requests), authorization));
    let led = next(&strays);
    assert!(led[0].contains("/there") && !led.join(" ").to_lowercase().contains("authorization"), "{led:?}");
}

#[test]
fn a_server_that_comes_to_itself_is_waited_for() {
    let tries = std::sync::atomic::AtomicUsize::new(0);
    let (url, requests) = server(move |_| match tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        1 | 2 => "503 Service Unavailable".to_owned(),
        _ => "204 No Content".to_owned(),
    });
    let mut api = Live::<Agent>::new(HttpRecipe::new(&url).unwrap().check("/up").unwrap());
    assert!(AnyLive::verify(&mut api, patience()).unwrap());
    assert!(AnyLive::verify(&mut api, patience()).unwrap(), "it was down in between");
    assert!(!AnyLive::verify(&mut api, patience()).unwrap());
    assert_eq!(requests.try_iter().count(), 5);
}

#[test]
fn what_needs_no_secret_and_no_check_asks_nothing_by_itself() {
    let mut api = Live::<Agent>::open(&format!("http://127.0.0.1:{}", servers::nobody())).unwrap();
    assert!(api.is_connected() && !AnyLive::verify(&mut api, None).unwrap());
}

#[test]
fn servers_that_are_none_are_given_up_in_time() {
    for (listener, port) in
        [servers::silent(), (TcpListener::bind("127.0.0.1:0").unwrap(), servers::nobody())]
    {
        let recipe =
            HttpRecipe::new(&format!("http://127.0.0.1:{port}")).unwrap().bearer().check("/").unwrap();
        let mut api = Live::<Agent>::new(recipe);
        api.set_provider(Provider::literal(TOKEN));
        let soon = Some(std::time::Instant::now() + Duration::from_millis(400));
        let error = AnyLive::verify(&mut api, soon).unwrap_err();
        assert!(error.is_connect() && !servers::chain(&error).contains(TOKEN), "{error:?}");
        drop(listener);
    }
}

#[test]
fn a_text_that_is_no_server_shows_no_secret() {
    servers::refuses_discreetly::<Agent>(
        &[
            "http://h/?key=s3cr3t",
            "http://h/s3cr3t",
            "ftp://u:s3cr3t@h",
            "s3cr3t",
            "http://u:s3cr3t@",
            "http://u:%ffs3cr3t@h",
            "http://h#s3cr3t",
            // A token, which would be taken for a name; and no host, so that the password is where a port should be.
            "http://s3cr3t@h",
            "http://u:s3cr3t",
            "http://h:8s3cr3t/",
        ],
        "s3cr3t",
    );
    let recipe = || HttpRecipe::new("http://h").unwrap();
    for name in [
        "authorization",
        "Cookie",
        "Proxy-Authorization",
        "X-Api-Key",
        "API-KEY",
        "api_key",
        "PRIVATE-TOKEN",
        "X-Auth-Token",
        "X-Amz-Security-Token",
        "X-Access-Token",
        "X-CSRF-Token",
        "Client-Secret",
        "x-password",
        "ApiKey",
    ] {
        let error = recipe().header(name, "s3cr3t").unwrap_err().to_string();
        assert!(
            error.contains(".bearer()") && error.contains("secret_header(") && !error.contains("s3cr3t"),
            "{error}"
        );
    }
    assert!(recipe().header("X-Tokens", "x").is_ok() && recipe().header("Monkey", "x").is_ok());
    assert!(recipe().header("a b", "x").is_err() && recipe().header("x-team", "a\nb").is_err());
    assert!(recipe().secret_header("a b").is_err());
    for check in ["health", "/health?api_key=s3cr3t", "/#s3cr3t", "s3cr3t"] {
        let error = recipe().check(check).unwrap_err().to_string();
        assert!(!error.contains("s3cr3t"), "{error}");
    }
    assert!(HttpRecipe::new("http://u:p@h").is_err());
    assert!(!Agent::needs_secret(&recipe()) && Agent::needs_secret(&recipe().basic("u")));
    assert!(Agent::needs_secret(&recipe().secret_header("x-api-key").unwrap()));
    for whole in ["http://h:80", "http://h", "http://[::1]", "https://[::1]:8080/", "http://u:@h"] {
        assert!(Live::<Agent>::lazy(whole).is_ok(), "{whole}");
    }
}

#[test]
fn headers_of_a_recipe_are_for_its_server_alone() {
    let (elsewhere, strays) = server(|_| "200 OK".to_owned());
    let target = elsewhere.clone();
    let (url, requests) = server(move |request| match request[0].as_str() {
        line if line.contains("/away") => format!("302 Found\r\nlocation: {target}/there"),
        line if line.contains("/moved/twice") => "308 Permanent Redirect\r\nlocation: ../away".to_owned(),
        line if line.contains("/round") => "307 Temporary Redirect\r\nlocation: /round".to_owned(),
        _ => "200 OK".to_owned(),
    });
    let recipe = HttpRecipe::new(&url).unwrap().header("X-Team", "orders").unwrap();
    let recipe = recipe.secret_header("X-Api-Key").unwrap();
    let api = Live::<Agent>::connect(recipe, Some(Provider::literal(TOKEN))).unwrap();
    servers::is_discreet(&api, &[TOKEN]);
    let key = format!("x-api-key: {TOKEN}");
    let names_none = |request: &[String]| {
        let words = request.join(" ").to_lowercase();
        !words.contains("x-team") && !words.contains("x-api-key") && !words.contains(TOKEN)
    };

    let answer = api.get(format!("{url}/moved/twice")).header("x-own", "mine").call().unwrap();
    assert_eq!(answer.status(), 200);
    let (first, second, stray) = (next(&requests), next(&requests), next(&strays));
    assert!(has(&first, "x-team: orders") && has(&first, &key), "{first:?}");
    assert!(has(&second, "x-team: orders") && !second.join(" ").contains(TOKEN), "{second:?}");
    assert!(stray[0].contains("/there") && names_none(&stray) && has(&stray, "x-own: mine"), "{stray:?}");

    // A body is not sent again.
    api.post(format!("{url}/away")).send("body").unwrap();
    assert!(next(&requests)[0].starts_with("POST") && next(&strays)[0].starts_with("GET /there"));
    assert!(matches!(api.post(format!("{url}/round")).send("body"), Err(ureq::Error::RedirectFailed)));
    next(&requests);

    // Nor is a circle followed for ever.
    assert!(matches!(api.get(format!("{url}/round")).call(), Err(ureq::Error::TooManyRedirects)));
    assert_eq!(requests.try_iter().count(), 11);

    // To another server at once.
    api.get(format!("{elsewhere}/other")).call().unwrap();
    assert!(names_none(&next(&strays)));
}

#[test]
fn what_a_request_sets_itself_stays() {
    let (url, requests) = server(|_| "200 OK".to_owned());
    let recipe = HttpRecipe::new(&url).unwrap().header("X-Team", "orders").unwrap().bearer();
    let api = Live::<Agent>::connect(recipe, Some(Provider::literal(TOKEN))).unwrap();
    api.get(&url).header("Authorization", "Own thing").header("x-team", "other").call().unwrap();
    let request = next(&requests);
    assert!(has(&request, "authorization: Own thing") && has(&request, "x-team: other"), "{request:?}");
    assert!(!request.join(" ").contains(TOKEN));
}

#[test]
fn a_user_agent_that_no_header_can_hold_is_an_error() {
    let (url, _requests) = server(|_| "200 OK".to_owned());
    let recipe = || HttpRecipe::new(&url).unwrap().check("/").unwrap();
    let error = Live::<Agent>::connect(recipe().user_agent("a\nb"), None).map(drop).unwrap_err();
    assert!(servers::chain(&error).contains("user agent"), "{error:?}");
    assert!(
        Live::<Agent>::connect(recipe().user_agent("caf\u{e9}").header("x-team", "\u{e9}").unwrap(), None)
            .is_ok()
    );
}

#[test]
fn a_check_that_is_led_on_is_given_up_in_time() {
    let (_silent, port) = servers::silent();
    let (url, _requests) = server(move |_| format!("302 Found\r\nlocation: http://127.0.0.1:{port}/"));
    let recipe = HttpRecipe::new(&url).unwrap().header("x-team", "orders").unwrap().check("/").unwrap();
    let mut api = Live::<Agent>::new(recipe);
    let soon = Some(std::time::Instant::now() + Duration::from_millis(400));
    assert!(AnyLive::verify(&mut api, soon).unwrap_err().is_connect());
}
