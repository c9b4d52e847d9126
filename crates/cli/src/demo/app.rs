//! A small web application that knows nothing of authentication: what `tagai demo` puts the gateway in front of.
//!
//! Who a user is it learns from the field `Tagai-User`, as any application behind the gateway does.

use axum::Router;
use axum::body::Body;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Form, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, Sse};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{any, get, post};
use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream;
use serde::Deserialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The size of the download, in octets.
pub const DOWNLOAD: u64 = 50 << 20;
/// The octets of one piece of the download.
const PIECE: usize = 64 << 10;
/// The most messages that are kept, and the most characters of one.
const MAX_MESSAGES: usize = 50;
const MAX_MESSAGE: usize = 500;
/// The most octets of one WebSocket message.
const MAX_FRAME: usize = 64 << 10;

/// The messages that were posted, newest first.
type Messages = Arc<Mutex<VecDeque<(String, String)>>>;

/// The application.
pub fn application() -> Router {
    Router::new()
        .route("/", get(front))
        .route("/public/", get(public))
        .route("/public/style.css", get(style))
        .route("/app/", get(app))
        .route("/app/messages", post(post_message))
        .route("/app/download", get(download))
        .route("/app/events", get(events))
        .route("/app/echo", any(echo))
        .with_state(Messages::default())
}

/// Who sent the request, as the gateway says it. `None` for a guest.
fn user(fields: &HeaderMap) -> Option<String> {
    let value = fields.get("tagai-user")?.to_str().ok()?;
    let mut octets = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let decoded = match (first, after) {
            (b'%', [high, low, ..]) => {
                let digits = [*high, *low];
                std::str::from_utf8(&digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok())
            }
            _ => None,
        };
        octets.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8(octets).ok()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn page(title: &str, content: &str) -> Html<String> {
    Html(format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{title}</title>\n<link rel=\"stylesheet\" \
         href=\"/public/style.css\">\n<main>\n<h1>{title}</h1>\n{content}\n</main>\n</html>\n"
    ))
}

/// Login is optional here.
async fn front(fields: HeaderMap) -> Html<String> {
    let who = match user(&fields) {
        Some(user) => format!("<p>You are <strong>{}</strong>, and it is proven.</p>", escape(&user)),
        None => "<p>You are a guest.</p>".to_owned(),
    };
    let links = "<ul>\n<li><a href=\"/app/\">The application</a>, for users\n<li><a href=\"/public/\">About</a>, for \
                 everybody\n</ul>";
    page("tagai demo", &format!("{who}\n{links}"))
}

async fn public() -> Html<String> {
    page(
        "About",
        "<p>This page is for everybody. The gateway passes it on without asking who you are.</p>\n<p><a href=\"/\">Back</a></p>",
    )
}

async fn style() -> impl IntoResponse {
    let css = "body{font:1.1rem/1.5 system-ui,sans-serif;margin:0;background:#f6f5f1;color:#222}\n\
               main{max-width:38rem;margin:4rem auto;padding:2rem;background:#fff;border-radius:.5rem}\n\
               h1{margin-top:0;font-weight:600}\na{color:#0a5c50}\ninput{font:inherit;width:70%}\nbutton{font:inherit}\n\
               @media(prefers-color-scheme:dark){body{background:#161a1a;color:#e5e5e0}main{background:#202626}a{color:#6cc9b8}}\n";
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], css)
}

async fn app(State(messages): State<Messages>, fields: HeaderMap) -> Html<String> {
    let who = escape(&user(&fields).unwrap_or_else(|| "nobody".to_owned()));
    let messages = messages.lock().unwrap_or_else(PoisonError::into_inner);
    let list: String =
        messages.iter().map(|(from, text)| format!("<li><strong>{}</strong>: {}\n", escape(from), escape(text))).collect();
    drop(messages);
    page(
        "The application",
        &format!(
            "<p>Hello, <strong>{who}</strong>.</p>\n<form method=\"post\" action=\"/app/messages\">\n<input name=\"text\" \
             maxlength=\"{MAX_MESSAGE}\" placeholder=\"A message\" required>\n<button>Post</button>\n</form>\n<ul>\n{list}</ul>\n\
             <p><a href=\"/app/download\">A download of 50 MB</a>, <a href=\"/app/events\">ten events</a>, and a WebSocket at \
             <code>/app/echo</code>.</p>"
        ),
    )
}

#[derive(Deserialize)]
struct Posted {
    text: String,
}

async fn post_message(State(messages): State<Messages>, fields: HeaderMap, Form(posted): Form<Posted>) -> Redirect {
    let user = user(&fields).unwrap_or_else(|| "nobody".to_owned());
    let mut messages = messages.lock().unwrap_or_else(PoisonError::into_inner);
    messages.push_front((user, posted.text.chars().take(MAX_MESSAGE).collect()));
    messages.truncate(MAX_MESSAGES);
    Redirect::to("/app/")
}

/// Octets that tell whether any was lost: each piece begins with its number.
async fn download() -> Response {
    let pieces = stream::iter((0..DOWNLOAD / PIECE as u64).map(|number| {
        let mut piece = vec![0; PIECE];
        if let Some(start) = piece.get_mut(..8) {
            start.copy_from_slice(&number.to_be_bytes());
        }
        Ok::<_, Infallible>(Bytes::from(piece))
    }));
    let fields: [(HeaderName, HeaderValue); 2] = [
        (CONTENT_LENGTH, HeaderValue::from(DOWNLOAD)),
        (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
    ];
    (fields, Body::from_stream(pieces)).into_response()
}

async fn events() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(stream::unfold(1, |number| async move {
        if number > 10 {
            return None;
        }
        if number > 1 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Some((Ok(Event::default().data(format!("event {number} of 10"))), number + 1))
    }))
}

async fn echo(upgrade: WebSocketUpgrade) -> Response {
    upgrade.max_message_size(MAX_FRAME).on_upgrade(repeat)
}

async fn repeat(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let answer = match message {
            Message::Text(_) | Message::Binary(_) => message,
            Message::Close(_) => return,
            Message::Ping(_) | Message::Pong(_) => continue,
        };
        if socket.send(answer).await.is_err() {
            return;
        }
    }
}
