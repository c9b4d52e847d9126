//! Counters for Prometheus, in the OpenMetrics text format.

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use tagai_store::principal::Method;

/// Everything that is counted. No label has a value that a stranger chooses, so there is no end to nothing.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Responses by site, route and class of status.
    requests: Family<RequestLabels, Counter>,
    /// Requests that belong to no route: no such origin, no such path, an ambiguous path.
    pub(crate) misdirected: Counter,
    /// Requests that the upstream did not answer, by kind of failure.
    pub(crate) upstream_failures: Family<KindLabel, Counter>,
    /// What happened to logins.
    pub(crate) logins: Family<LoginLabels, Counter>,
    /// Requests of proven principals, by method.
    proven: Family<MethodLabel, Counter>,
    /// Requests that were refused though, or because, by code.
    refusals: Family<CodeLabel, Counter>,
    /// When the next revocation list of an authority runs out, in seconds since the epoch.
    pub(crate) crls: Family<ClientCaLabel, Gauge>,
    /// When principals and denials were last looked for, in seconds since the epoch.
    pub(crate) directory_read: Gauge,
    /// Reloads of the configuration.
    pub(crate) reloads: Family<ResultLabel, Counter>,
    /// When the configuration in use was loaded, in seconds since the epoch.
    pub(crate) loaded: Gauge,
    /// Sessions by state, as of the last look.
    pub(crate) sessions: Family<StateLabel, Gauge>,
    /// Open connections, as of the last look.
    pub(crate) connections: Gauge,
    /// What became of requests to forward proxies.
    pub(crate) proxied: Family<ResultLabel, Counter>,
    /// Tunnels of forward proxies that are open.
    pub(crate) tunnels: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    site: String,
    route: String,
    status: &'static str,
}

/// A label `kind`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct KindLabel {
    pub(crate) kind: &'static str,
}

/// Labels of the counter of logins.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct LoginLabels {
    pub(crate) realm: String,
    pub(crate) event: &'static str,
}

/// A label `method`: `mutual`, `x509`, `raw-key` or `password-tls`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MethodLabel {
    method: &'static str,
}

/// A label `code`: that of a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabel {
    code: &'static str,
}

/// A label `client_ca`: the id of a `[[client-ca]]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ClientCaLabel {
    pub(crate) client_ca: String,
}

/// A label `result`: `success` or `failure`, or what became of a request to a forward proxy.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ResultLabel {
    pub(crate) result: &'static str,
}

/// A label `state`: `half_open` or `established`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct StateLabel {
    pub(crate) state: &'static str,
}

/// The counters of one route, found once.
#[derive(Debug, Clone)]
pub(crate) struct RouteCounters([Counter; 5]);

impl RouteCounters {
    /// Counts a response.
    pub(crate) fn count(&self, status: http::StatusCode) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = self.0.get(class) {
            counter.inc();
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("tagai");
        let requests = Family::default();
        registry.register("requests", "Responses to clients", requests.clone());
        let misdirected = Counter::default();
        registry.register("misdirected_requests", "Requests that belong to no route", misdirected.clone());
        let upstream_failures = Family::default();
        registry.register("upstream_failures", "Requests that failed upstream", upstream_failures.clone());
        let logins = Family::default();
        registry.register("login_events", "What happened to logins", logins.clone());
        let proven = Family::default();
        registry.register("proven_requests", "Requests of proven principals", proven.clone());
        let refusals = Family::default();
        registry.register("refusals", "Requests that were refused", refusals.clone());
        let crls = Family::default();
        registry.register(
            "crl_next_update_timestamp_seconds",
            "When the first revocation list of an authority runs out",
            crls.clone(),
        );
        let directory_read = Gauge::default();
        registry.register(
            "directory_read_timestamp_seconds",
            "When changes of principals and denials were last looked for",
            directory_read.clone(),
        );
        let reloads = Family::default();
        registry.register("reloads", "Reloads of the configuration", reloads.clone());
        let loaded = Gauge::default();
        registry.register(
            "configuration_loaded_timestamp_seconds",
            "When the configuration was loaded",
            loaded.clone(),
        );
        let sessions = Family::default();
        registry.register("sessions", "Sessions in the store", sessions.clone());
        let connections = Gauge::default();
        registry.register("connections", "Open connections of clients", connections.clone());
        let proxied = Family::default();
        registry.register("forward_proxy_requests", "Requests to forward proxies", proxied.clone());
        let tunnels = Gauge::default();
        registry.register("forward_proxy_tunnels", "Open tunnels of forward proxies", tunnels.clone());
        registry.register("build", "The program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        Self {
            registry,
            requests,
            misdirected,
            upstream_failures,
            logins,
            proven,
            refusals,
            crls,
            directory_read,
            reloads,
            loaded,
            sessions,
            connections,
            proxied,
            tunnels,
        }
    }
}

impl Metrics {
    /// Metrics that have counted nothing, to be shared.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// The counters of a route of a site.
    pub(crate) fn route(&self, site: &str, route: &str) -> RouteCounters {
        RouteCounters(["1xx", "2xx", "3xx", "4xx", "5xx"].map(|status| {
            let labels = RequestLabels { site: site.into(), route: route.into(), status };
            self.requests.get_or_create(&labels).clone()
        }))
    }

    /// Counts something about logins.
    pub(crate) fn login(&self, realm: &str, event: &'static str) {
        self.logins.get_or_create(&LoginLabels { realm: realm.into(), event }).inc();
    }

    /// Counts a request of somebody who is let through.
    pub(crate) fn proven(&self, method: Method) {
        self.proven.get_or_create(&MethodLabel { method: method.as_str() }).inc();
    }

    /// Counts a request that is refused.
    pub(crate) fn refused(&self, code: &'static str) {
        self.refusals.get_or_create(&CodeLabel { code }).inc();
    }

    /// Everything, in the OpenMetrics text format.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_told() {
        let metrics = Metrics::default();
        let route = metrics.route("https://example.com", "/app");
        route.count(http::StatusCode::OK);
        route.count(http::StatusCode::OK);
        route.count(http::StatusCode::BAD_GATEWAY);
        metrics.login("staff", "logged-in");
        let text = metrics.encode();
        for line in [
            "tagai_requests_total{site=\"https://example.com\",route=\"/app\",status=\"2xx\"} 2",
            "tagai_requests_total{site=\"https://example.com\",route=\"/app\",status=\"5xx\"} 1",
            "tagai_login_events_total{realm=\"staff\",event=\"logged-in\"} 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
