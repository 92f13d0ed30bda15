//! Bodies of requests: read whole, within bounds, into memory that is wiped.

use std::io::Read;
use std::ops::Deref;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use flate2::bufread::MultiGzDecoder;
use http_body_util::BodyExt;
use zeroize::Zeroizing;

use crate::network::shares::Share;
use crate::refusal::Refusal;

/// How large bodies may be, and how long they may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Bytes as sent, and also when inflated.
    pub(crate) bytes: usize,
    pub(crate) time: Duration,
}

/// How much room there is at first for a body of unknown length.
const FIRST: usize = 1024;

/// How much of a body that is too large, or not wanted, is still taken off the
/// line, so that the client gets to read the answer.
const DRAINED: usize = 1024 * 1024;

/// A whole body, which counts as long as it is held.
pub(crate) struct Whole {
    bytes: Zeroizing<Vec<u8>>,
    _share: Share,
}

impl Deref for Whole {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads the body of a request. What it takes is counted before there is memory
/// for it.
///
/// # Errors
///
/// It is of another media type, too large, too slow, or broken off, or there are
/// too many bodies already.
pub(crate) async fn read(
    parts: &Parts,
    body: &mut Body,
    bounds: Bounds,
    mut share: Share,
) -> Result<Whole, Refusal> {
    let coding = coding(&parts.headers)?;
    if !is_json(&parts.headers) {
        return Err(Refusal::MediaType);
    }
    let told = parts.headers.get(header::CONTENT_LENGTH);
    let told = told.and_then(|told| told.to_str().ok()?.parse::<usize>().ok());
    if told.is_some_and(|told| told > bounds.bytes) {
        return Err(Refusal::TooLarge);
    }
    let whole = {
        let mut collecting = std::pin::pin!(collected(body, told, bounds.bytes, &mut share));
        match at_once(collecting.as_mut()).await {
            Some(whole) => whole,
            None => {
                let whole = tokio::time::timeout(bounds.time, collecting).await;
                whole.map_err(|_| Refusal::TooSlow)?
            }
        }
    }?;
    let bytes = match coding {
        Coding::Plain => whole,
        Coding::Gzip => inflated(&whole, bounds.bytes, &mut share)?,
    };
    Ok(Whole { bytes, _share: share })
}

/// What a future comes to before it has to wait for anybody else. Most bodies
/// have come with their headers, and need no timer, which is shared by all.
async fn at_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    let mut polls = 0;
    std::future::poll_fn(|cx| {
        polls += 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            // The connection hands over what it has when it is its turn.
            Poll::Pending if polls == 1 => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Pending => Poll::Ready(None),
        }
    })
    .await
}

async fn collected(
    body: &mut Body,
    told: Option<usize>,
    most: usize,
    share: &mut Share,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let mut whole = with_room(told.unwrap_or(FIRST.min(most)), share)?;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Json("The body broke off.".into()))?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.len() > most {
            return Err(Refusal::TooLarge);
        }
        if whole.len() + data.len() > whole.capacity() {
            // Moved by hand, so that nothing stays behind.
            let needed = whole.len() + data.len();
            let mut larger = with_room(needed.saturating_mul(2).min(most), share)?;
            larger.extend_from_slice(&whole);
            share.shrink(whole.capacity());
            whole = larger;
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole)
}

/// Room for so many bytes, once they are counted.
fn with_room(bytes: usize, share: &mut Share) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    share.grow(bytes)?;
    Ok(Zeroizing::new(Vec::with_capacity(bytes)))
}

/// Takes what is left of a body off the line, for a moment.
pub(crate) async fn drain(body: &mut Body) {
    let mut left = DRAINED;
    let drained = async {
        while let Some(Ok(frame)) = body.frame().await {
            let data = frame.data_ref().map_or(0, |data| data.len());
            let Some(less) = left.checked_sub(data) else { return };
            left = less;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), drained).await;
}

enum Coding {
    Plain,
    Gzip,
}

/// A client that is told 415 repeats its request uncompressed.
fn coding(headers: &HeaderMap) -> Result<Coding, Refusal> {
    let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(Coding::Plain),
        (Some(coding), None) => {
            let coding = coding.as_bytes().trim_ascii();
            let is = |name: &str| coding.eq_ignore_ascii_case(name.as_bytes());
            if is("gzip") || is("x-gzip") {
                Ok(Coding::Gzip)
            } else if is("identity") || is("") {
                Ok(Coding::Plain)
            } else {
                Err(Refusal::MediaType)
            }
        }
        _ => Err(Refusal::MediaType),
    }
}

/// `application/json` with any parameters, or none at all.
fn is_json(headers: &HeaderMap) -> bool {
    headers.get_all(header::CONTENT_TYPE).iter().all(|told| {
        let essence = told.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
    })
}

fn inflated(gzip: &[u8], most: usize, share: &mut Share) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    // Of nothing there is nothing to compress.
    if gzip.is_empty() {
        return Ok(Zeroizing::default());
    }
    let broken = || Refusal::Json("The body is not gzip, or breaks off.".into());
    let mut decoder = MultiGzDecoder::new(gzip);
    // One byte more tells what is too large.
    let most_read = most.saturating_add(1);
    let mut whole =
        with_room(gzip.len().saturating_mul(4).clamp(FIRST.min(most_read), most_read), share)?;
    let mut length = 0;
    loop {
        let room = whole.capacity();
        whole.resize(room, 0);
        while let Some(room) = whole.get_mut(length..).filter(|room| !room.is_empty()) {
            match decoder.read(room).map_err(|_| broken())? {
                0 => {
                    whole.truncate(length);
                    return match length > most {
                        true => Err(Refusal::TooLarge),
                        false => Ok(whole),
                    };
                }
                read => length += read,
            }
        }
        if room > most {
            return Err(Refusal::TooLarge);
        }
        let mut larger = with_room(room.saturating_mul(4).min(most_read), share)?;
        larger.extend_from_slice(&whole);
        share.shrink(whole.capacity());
        whole = larger;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    use crate::network::shares::Shares;

    fn inflated(gzip: &[u8], most: usize) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        super::inflated(gzip, most, &mut Shares::new(0, 0).take(None, 0).unwrap())
    }

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_inflated_up_to_a_bound() {
        let bomb = gzip(&vec![b' '; 100_000_000]);
        assert!(bomb.len() < 110_000);
        assert!(matches!(inflated(&bomb, 65_536), Err(Refusal::TooLarge)));
        let fits = gzip(&[b' '; 100]);
        assert_eq!(inflated(&fits, 100).unwrap().len(), 100);
        assert!(matches!(inflated(&fits, 99), Err(Refusal::TooLarge)));
        assert!(inflated(b"", 100).unwrap().is_empty());
        for end in 1..fits.len() {
            assert!(matches!(inflated(&fits[..end], 100), Err(Refusal::Json(_))), "{end}");
        }
        // A file may have several members (RFC 1952), but nothing else behind them.
        let twice = [fits.as_slice(), fits.as_slice()].concat();
        assert_eq!(inflated(&twice, 1000).unwrap().len(), 200);
        assert!(matches!(inflated(&twice, 199), Err(Refusal::TooLarge)));
        let more = [fits.as_slice(), b"{}"].concat();
        assert!(matches!(inflated(&more, 1000), Err(Refusal::Json(_))));
        assert!(matches!(inflated(b"{}", 1000), Err(Refusal::Json(_))));
    }

    #[test]
    fn what_a_body_takes_is_counted_inflated_too() {
        let shares = Shares::new(3000, 0);
        let bodies = |plain: usize| {
            let mut share = shares.take(None, 0).unwrap();
            super::inflated(&gzip(&vec![b' '; plain]), 65_536, &mut share).map(|whole| whole.len())
        };
        assert_eq!(bodies(900).ok(), Some(900));
        // Small on the way, and large here.
        assert!(matches!(bodies(20_000), Err(Refusal::Full)));
        // What failed holds nothing.
        assert!(shares.take(None, 3000).is_ok());
    }

    #[test]
    fn media_types_are_json_or_not_told() {
        let headers = |told: &[&'static str]| -> HeaderMap {
            let header = |told: &&'static str| {
                (header::CONTENT_TYPE, axum::http::HeaderValue::from_static(told))
            };
            told.iter().map(header).collect()
        };
        assert!(is_json(&headers(&[])));
        assert!(is_json(&headers(&["application/json"])));
        assert!(is_json(&headers(&["Application/JSON; odata.metadata=minimal;charset=utf-8"])));
        assert!(!is_json(&headers(&["text/plain"])));
        assert!(!is_json(&headers(&["application/json-patch+json"])));
        assert!(!is_json(&headers(&["application/json, text/plain"])));
        assert!(!is_json(&headers(&[""])));
    }
}
