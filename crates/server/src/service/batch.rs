//! Several requests in one: JSON batches, as Microsoft Graph has them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;
use serde::Serialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::{Bounds, Inner, account_of};
use crate::answer::{self, About, CLIENT_REQUEST_ID};
use crate::json::{self, Object};
use crate::path::Whole;
use crate::permissions::{Action, Version};
use crate::refusal::Refusal;
use crate::token::Caller;

/// How many requests a batch may have.
const MOST: usize = 20;

/// Headers that belong to a connection, or to a body that is sent on its own.
const OF_CONNECTIONS: [HeaderName; 8] = [
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    // The batch's own token counts for all of it.
    header::AUTHORIZATION,
];

/// Headers of the batch that count for each part without its own.
const OF_ALL: [HeaderName; 4] =
    [header::AUTHORIZATION, CLIENT_REQUEST_ID, header::ACCEPT, header::ACCEPT_LANGUAGE];

/// One request of a batch.
struct Part<'b> {
    id: String,
    depends_on: Vec<String>,
    /// What is asked for, or what is wrong with it: for this part alone.
    asked: Result<Asked<'b>, Refusal>,
}

struct Asked<'b> {
    method: Method,
    /// Without the version.
    url: String,
    headers: HeaderMap,
    body: Option<&'b RawValue>,
}

#[derive(Serialize)]
struct Answers {
    responses: Vec<Answer>,
}

#[derive(Serialize)]
struct Answer {
    id: String,
    status: u16,
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Box<RawValue>>,
}

impl Inner {
    /// Answers a batch: its parts one after the other, each as if it had come
    /// alone. What is wrong with the batch itself counts as one call.
    pub(super) async fn batch(
        self: &Arc<Self>,
        version: Version,
        parts: &Parts,
        body: &mut Body,
        about: &About,
    ) -> Result<Response, Refusal> {
        let caller = self.verified(parts, about).await?;
        // Who has nothing left is not read.
        if let Some(wait) = self.limiter.wait(&caller.object) {
            return Err(Refusal::CallerRate(wait));
        }
        let counted = |refusal| self.counted(&caller, refusal);
        account_of(self, &caller.object).await.map_err(counted)?;
        let bounds = self.settings.bounds;
        let bounds = Bounds { bytes: bounds.bytes.saturating_mul(MOST), ..bounds };
        let body = self.read(parts, body, about, bounds).await.map_err(counted)?;
        let asked = read(&body).map_err(counted)?;
        let mut statuses = HashMap::new();
        let mut responses = Vec::with_capacity(asked.len());
        for Part { id, depends_on, asked } in asked {
            let has_failed = |id: &String| {
                statuses.get(id).is_none_or(|status: &StatusCode| status.as_u16() >= 400)
            };
            let is_held_up = depends_on.iter().any(has_failed);
            let response = self.part(version, &caller, asked, is_held_up, parts, about).await;
            statuses.insert(id.clone(), response.status());
            responses.push(told(id, response).await);
        }
        Ok(answer::json(StatusCode::OK, &Answers { responses }))
    }

    /// Counts as a call what is refused before it is one.
    fn counted(&self, caller: &Caller, refusal: Refusal) -> Refusal {
        self.spend(caller).err().unwrap_or(refusal)
    }

    /// Answers a part.
    async fn part(
        self: &Arc<Self>,
        version: Version,
        caller: &Arc<Caller>,
        asked: Result<Asked<'_>, Refusal>,
        is_held_up: bool,
        outer: &Parts,
        batch: &About,
    ) -> Response {
        let started = Instant::now();
        let request = asked.and_then(|asked| asked.request(version, outer, &self.settings.origin));
        let (headers, request) = match request {
            Ok(request) => (request.headers().clone(), Ok(request)),
            Err(refusal) => (outer.headers.clone(), Err(refusal)),
        };
        let about = About::new(&headers, self.clock.now()).from(batch.peer, batch.client);
        let _ = about.caller.set(Arc::clone(caller));
        // What does not come as far as to be counted as a call.
        let counted = |refusal| Err(self.counted(caller, refusal));
        let (answered, action) = match request {
            Err(refusal) => (counted(refusal), None),
            Ok(request) => {
                let (parts, mut body) = request.into_parts();
                match self.call(&parts) {
                    Err(refusal) => (counted(refusal), None),
                    Ok((_, action)) if is_held_up => (counted(Refusal::Dependency), Some(action)),
                    Ok((path, action)) => {
                        let answered = self.answer(path, action, &parts, &mut body, &about).await;
                        let is_head = parts.method == Method::HEAD;
                        let answered = match is_head {
                            true => answered.map(answer::headers_only),
                            false => answered,
                        };
                        (answered, Some(action))
                    }
                }
            }
        };
        let name = action.map_or("none", Action::name);
        about.complete(self.finished(answered, name, action, &about, started))
    }
}

impl Asked<'_> {
    /// The request, as it would have come alone.
    fn request(
        self,
        version: Version,
        outer: &Parts,
        origin: &str,
    ) -> Result<Request<Body>, Refusal> {
        let Self { method, url, mut headers, body } = self;
        let wrong = || Refusal::Json("The `url` of a request of the batch is no path.".into());
        // Client libraries leave the origin and the version before the path.
        let path = match url.split_at_checked(origin.len()) {
            Some((told, path)) if told.eq_ignore_ascii_case(origin) => path,
            _ => url.as_str(),
        };
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = match path.split_once('/') {
            Some((told, rest)) if told.eq_ignore_ascii_case(version.segment()) => rest,
            _ => path,
        };
        // What begins with a scheme or another host is not here.
        let mut segments = path.split(['/', '?', '(']);
        if path.starts_with('/') || segments.next().is_some_and(|first| first.contains(':')) {
            return Err(wrong());
        }
        let uri = format!("/{}/{path}", version.segment());
        let uri = uri.parse::<axum::http::Uri>().map_err(|_| wrong())?;
        if Whole::parse(uri.path()).is_some() {
            return Err(Refusal::Json("A batch cannot contain `$batch` or `$metadata`.".into()));
        }
        OF_CONNECTIONS.iter().for_each(|name| drop(headers.remove(name)));
        for name in OF_ALL {
            if !headers.contains_key(&name) {
                for value in outer.headers.get_all(&name) {
                    headers.append(&name, value.clone());
                }
            }
        }
        let body = match body {
            None => Body::empty(),
            Some(raw) => Bytes::from_owner(Zeroizing::new(raw.get().as_bytes().to_vec())).into(),
        };
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

/// An answer as it stands in that of the batch.
async fn told(id: String, response: Response) -> Answer {
    let (parts, body) = response.into_parts();
    let headers = parts.headers.iter().filter(|(name, _)| !OF_CONNECTIONS.contains(name));
    let headers = headers.map(|(name, value)| {
        let name = match name.as_str() {
            // Client libraries look for it in this case.
            "content-type" => "Content-Type".to_owned(),
            name => name.to_owned(),
        };
        (name, String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    // All bodies are in memory already.
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let body = serde_json::from_slice(&body).ok();
    Answer { id, status: parts.status.as_u16(), headers: headers.collect(), body }
}

/// The parts of a batch, each behind those that it depends on.
fn read(body: &[u8]) -> Result<Vec<Part<'_>>, Refusal> {
    let wrong = |what: String| Refusal::Value("requests".into(), what.into());
    let object = Object::parse(body, false)?;
    knows(&object, &["requests"]).map_err(|what| wrong(format!("The batch {what}.")))?;
    let requests = object.array("requests")?.ok_or(Refusal::Parameter("requests".into()))?;
    if requests.is_empty() || requests.len() > MOST {
        return Err(wrong(format!("A batch has 1 to {MOST} requests.")));
    }
    let mut parts = Vec::with_capacity(requests.len());
    for (index, request) in requests.into_iter().enumerate() {
        let part = part(request);
        parts.push(part.map_err(|what| wrong(format!("Request {} {what}.", index + 1)))?);
    }
    let mut ids = HashSet::new();
    if let Some(at) = parts.iter().position(|part| !ids.insert(part.id.clone())) {
        return Err(wrong(format!("Request {} has the `id` of another one.", at + 1)));
    }
    let is_unknown = |part: &Part<'_>| part.depends_on.iter().any(|id| !ids.contains(id));
    if let Some(at) = parts.iter().position(is_unknown) {
        return Err(wrong(format!("Request {} depends on one that is not there.", at + 1)));
    }
    let mut ordered: Vec<Part<'_>> = Vec::with_capacity(parts.len());
    let mut done = HashSet::new();
    while !parts.is_empty() {
        let is_next = |part: &Part<'_>| part.depends_on.iter().all(|id| done.contains(id));
        let Some(next) = parts.iter().position(is_next) else {
            return Err(wrong("Requests depend on each other.".to_owned()));
        };
        let part = parts.remove(next);
        done.insert(part.id.clone());
        ordered.push(part);
    }
    Ok(ordered)
}

/// Reads a part; an error says what is wrong, as the end of a sentence.
fn part(request: &RawValue) -> Result<Part<'_>, String> {
    let object: Object<'_> =
        serde_json::from_str(request.get()).map_err(|_| "is not an object".to_owned())?;
    // Microsoft's client for Python has its own name for `dependsOn`.
    let lists = ["dependsOn", "depends_on"];
    knows(&object, &[&["id", "method", "url", "headers", "body"], &lists[..]].concat())?;
    let text = |name: &str| {
        let value = object.find(name).ok_or_else(|| format!("has no `{name}`"))?;
        let text = json::text(value).ok_or_else(|| {
            format!("has {} `{name}` that is no string", if name == "id" { "an" } else { "a" })
        })?;
        match text.is_empty() {
            true => Err(format!("has an empty `{name}`")),
            false => Ok(text.to_string()),
        }
    };
    let (id, method, url) = (text("id")?, text("method")?, text("url")?);
    let list = || "has a `dependsOn` that is no array of strings".to_owned();
    let mut depends_on = Vec::new();
    for name in lists {
        for id in object.array(name).map_err(|_| list())?.unwrap_or_default() {
            depends_on.push(json::text(id).ok_or_else(list)?.to_string());
        }
    }
    let headers = headers(&object)?;
    let asked = match method.to_ascii_uppercase().parse() {
        Ok(method) => Ok(Asked { method, url, headers, body: object.find("body") }),
        Err(_) => {
            Err(Refusal::Json("The `method` of a request of the batch is not a method.".into()))
        }
    };
    Ok(Part { id, depends_on, asked })
}

fn headers(part: &Object<'_>) -> Result<HeaderMap, String> {
    let wrong = || "has `headers` that are no object of strings".to_owned();
    let mut headers = HeaderMap::new();
    let Some(told) = part.object("headers").map_err(|_| wrong())? else { return Ok(headers) };
    for name in told.names() {
        let value = told.find(name).and_then(json::text).ok_or_else(wrong)?;
        let read = (name.parse::<HeaderName>(), HeaderValue::from_str(&value));
        let (Ok(name), Ok(value)) = read else {
            return Err("has a header that HTTP does not have".to_owned());
        };
        headers.append(name, value);
    }
    Ok(headers)
}

/// Whether all members are known; annotations are.
fn knows(object: &Object<'_>, known: &[&str]) -> Result<(), String> {
    let is_other = |name: &&str| !name.starts_with('@') && !known.contains(name);
    match object.names().find(is_other) {
        None => Ok(()),
        Some(name) => {
            let shown: String = name.chars().take(40).flat_map(char::escape_debug).collect();
            Err(format!("has a member `{shown}`, which is not known"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(body: &str) -> Result<Vec<String>, String> {
        match read(body.as_bytes()) {
            Ok(parts) => Ok(parts.into_iter().map(|part| part.id).collect()),
            Err(Refusal::Value(_, what) | Refusal::Json(what)) => Err(what.into_owned()),
            Err(other) => Err(format!("{other:?}")),
        }
    }

    fn batch(parts: &[&str]) -> String {
        let part = |part: &&str| format!(r#"{{"method":"GET","url":"/me",{part}}}"#);
        let parts: Vec<_> = parts.iter().map(part).collect();
        format!(r#"{{"requests":[{}]}}"#, parts.join(","))
    }

    #[test]
    fn parts_come_after_those_that_they_depend_on() {
        for (parts, expected) in [
            (&[r#""id":"1""#, r#""id":"2""#][..], &["1", "2"][..]),
            (&[r#""id":"1","dependsOn":["2"]"#, r#""id":"2""#], &["2", "1"]),
            (&[r#""id":"1","depends_on":["2"]"#, r#""id":"2","depends_on":[]"#], &["2", "1"]),
            (
                &[
                    r#""id":"c","dependsOn":["b","a"]"#,
                    r#""id":"b","dependsOn":["a"]"#,
                    r#""id":"a","dependsOn":null"#,
                ],
                &["a", "b", "c"],
            ),
        ] {
            assert_eq!(order(&batch(parts)).unwrap(), expected);
        }
    }

    #[test]
    fn batches_that_make_no_sense_are_refused_as_a_whole() {
        let many: Vec<_> = (0..21).map(|id| format!(r#""id":"{id}""#)).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        for (body, expected) in [
            (batch(&[]), "A batch has 1 to 20 requests."),
            (batch(&many), "A batch has 1 to 20 requests."),
            ("{}".to_owned(), "Parameter(\"requests\")"),
            (r#"{"requests":{}}"#.to_owned(), "The member `requests` is not an array."),
            (r#"{"requests":["hunter2"]}"#.to_owned(), "Request 1 is not an object."),
            (r#"{"requests":[],"more":1}"#.to_owned(), "The batch has a member `more`"),
            (batch(&[r#""url":"/me""#]), "A member of the body stands twice: line 1, column 42."),
            (batch(&[r#""headers":{}"#]), "Request 1 has no `id`."),
            (batch(&[r#""id":1"#]), "Request 1 has an `id` that is no string."),
            (batch(&[r#""id":"""#]), "Request 1 has an empty `id`."),
            (batch(&[r#""id":"1""#, r#""id":"1""#]), "Request 2 has the `id` of another one."),
            (
                batch(&[r#""id":"1","dependsOn":["2"]"#]),
                "Request 1 depends on one that is not there.",
            ),
            (batch(&[r#""id":"1","dependsOn":["1"]"#]), "Requests depend on each other."),
            (
                batch(&[r#""id":"1","dependsOn":["2"]"#, r#""id":"2","dependsOn":["1"]"#]),
                "Requests depend on each other.",
            ),
            (
                batch(&[r#""id":"1","dependsOn":"2""#]),
                "Request 1 has a `dependsOn` that is no array of strings.",
            ),
            (
                batch(&[r#""id":"1","headers":{"a":1}"#]),
                "Request 1 has `headers` that are no object of strings.",
            ),
            (
                batch(&[r#""id":"1","headers":{"a":"b\r\nc: d"}"#]),
                "Request 1 has a header that HTTP does not have.",
            ),
            (batch(&[r#""id":"1","atomicityGroup":"g""#]), "Request 1 has a member `atomicityGro"),
        ] {
            let error = order(&body).unwrap_err();
            assert!(error.starts_with(expected), "{body}: {error}");
            assert!(!error.contains("hunter2"));
        }
    }
}
