//! What is counted, for Prometheus. Nothing here has a label that a client
//! chooses.

use std::time::Duration;

use axum::http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::permissions::Action;
use crate::store::OperationState;

/// The media type of the text.
pub(crate) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the buckets of times, in seconds.
const TIMES: [f64; 12] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    action: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TurnedAway {
    what: &'static str,
}

/// Of each action, how long its answers took, and how many went well: counted
/// without looking for a label, since most are of one kind.
struct ByAction {
    action: Action,
    times: Histogram,
}

pub(crate) struct Metrics {
    registry: Registry,
    answered: Family<Answered, Counter>,
    times: Vec<ByAction>,
    operations: Family<Ended, Counter>,
    turned_away: Family<TurnedAway, Counter>,
    pub(crate) unstored: Counter,
    pub(crate) verifications: Counter,
    pub(crate) locked_out: Counter,
    pub(crate) connections: Gauge,
    pub(crate) reloads: Counter,
    pub(crate) failed_reloads: Counter,
    pub(crate) differing_replicas: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("countersign");
        let answered = Family::<Answered, Counter>::default();
        registry.register("requests", "Requests answered", answered.clone());
        let times = Family::<Of, Histogram>::new_with_constructor(|| Histogram::new(TIMES));
        registry.register_with_unit(
            "request",
            "How long answers took",
            Unit::Seconds,
            times.clone(),
        );
        let by_action = |action: &Action| ByAction {
            action: *action,
            times: times.get_or_create(&Of { action: action.name() }).clone(),
        };
        let times = Action::ALL.iter().map(by_action).collect();
        let operations = Family::<Ended, Counter>::default();
        // From the start, so that the first one is seen as one more.
        for state in [OperationState::Succeeded, OperationState::Failed] {
            let _ = operations.get_or_create(&Ended { status: state.name() });
        }
        registry.register("operations", "Resets that ended", operations.clone());
        let turned_away = Family::<TurnedAway, Counter>::default();
        for what in ["connection", "request", "body"] {
            let _ = turned_away.get_or_create(&TurnedAway { what });
        }
        registry.register(
            "turned_away",
            "Connections, requests and bodies beyond the share of an address, or of all",
            turned_away.clone(),
        );
        let unstored = Counter::default();
        registry.register(
            "write_backs_unstored",
            "Passwords that the other directory has taken, or may have, and the database has not",
            unstored.clone(),
        );
        let verifications = Counter::default();
        registry.register(
            "password_verifications",
            "Current passwords that were verified",
            verifications.clone(),
        );
        let locked_out = Counter::default();
        registry.register(
            "locked_out",
            "Attempts at a current password that were refused untried",
            locked_out.clone(),
        );
        let connections = Gauge::default();
        registry.register("connections", "Open connections", connections.clone());
        let (reloads, failed_reloads) = (Counter::default(), Counter::default());
        registry.register("policy_reloads", "Policies loaded again", reloads.clone());
        registry.register(
            "policy_reload_failures",
            "Policies that did not load, so that the one before stays",
            failed_reloads.clone(),
        );
        let differing_replicas = Gauge::default();
        registry.register(
            "differing_replicas",
            "Other replicas on the database with another policy or lockout key",
            differing_replicas.clone(),
        );
        Self {
            registry,
            answered,
            times,
            operations,
            turned_away,
            unstored,
            verifications,
            locked_out,
            connections,
            reloads,
            failed_reloads,
            differing_replicas,
        }
    }

    /// Counts an answer under the name of its action, and how long it took.
    pub(crate) fn answered(
        &self,
        name: &'static str,
        action: Option<Action>,
        status: StatusCode,
        took: Duration,
    ) {
        self.answered.get_or_create(&Answered { action: name, status: status.as_u16() }).inc();
        let times = self.times.iter().find(|times| Some(times.action) == action);
        if let Some(ByAction { times, .. }) = times {
            times.observe(took.as_secs_f64());
        }
    }

    pub(crate) fn turned_away(&self, what: &'static str) {
        self.turned_away.get_or_create(&TurnedAway { what }).inc();
    }

    pub(crate) fn operations_ended(&self, state: OperationState) {
        self.operations.get_or_create(&Ended { status: state.name() }).inc();
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    action: &'static str,
}
