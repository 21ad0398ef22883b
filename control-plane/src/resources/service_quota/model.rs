//! The quotas and their defaults.

/// A count that is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    /// Environments of a tenant.
    Environments,
    /// Data planes of a tenant.
    DataPlanes,
    /// Broker pools of a tenant.
    BrokerPools,
    /// Logical clusters of a tenant.
    Clusters,
    /// Topics of a tenant.
    Topics,
    /// Partitions over all topics of a tenant.
    Partitions,
    /// Service accounts of a tenant.
    ServiceAccounts,
    /// API keys of a tenant.
    ApiKeys,
    /// Compute pools of a tenant.
    ComputePools,
    /// Jobs of a tenant.
    Jobs,
    /// Cluster links of a tenant.
    ClusterLinks,
    /// Quotas of a tenant's principals.
    Quotas,
    /// Alert rules of a tenant.
    AlertRules,
    /// Lint rules of a tenant's contracts.
    ContractLintRules,
    /// Contracts of a tenant: subjects of the registry.
    Contracts,
    /// Versions over all contracts of a tenant, deleted ones included.
    ContractVersions,
    /// Bytes of all schemas of a tenant, with what stands beside their texts, and of what is configured.
    ContractBytes,
}

impl Quota {
    /// Every quota.
    pub const ALL: [Self; 17] = [
        Self::Environments,
        Self::DataPlanes,
        Self::BrokerPools,
        Self::Clusters,
        Self::Topics,
        Self::Partitions,
        Self::ServiceAccounts,
        Self::ApiKeys,
        Self::ComputePools,
        Self::Jobs,
        Self::ClusterLinks,
        Self::Quotas,
        Self::AlertRules,
        Self::ContractLintRules,
        Self::Contracts,
        Self::ContractVersions,
        Self::ContractBytes,
    ];

    /// The shown and stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Environments => "environments",
            Self::DataPlanes => "data_planes",
            Self::BrokerPools => "broker_pools",
            Self::Clusters => "clusters",
            Self::Topics => "topics",
            Self::Partitions => "partitions",
            Self::ServiceAccounts => "service_accounts",
            Self::ApiKeys => "api_keys",
            Self::ComputePools => "compute_pools",
            Self::Jobs => "jobs",
            Self::ClusterLinks => "cluster_links",
            Self::Quotas => "quotas",
            Self::AlertRules => "alert_rules",
            Self::ContractLintRules => "contract_lint_rules",
            Self::Contracts => "contracts",
            Self::ContractVersions => "contract_versions",
            Self::ContractBytes => "contract_bytes",
        }
    }

    /// Reads a shown name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// The highest limit that can be set: a hundred times the default, beyond which nothing was ever tried. Lint rules are asked at
    /// every registration, so of them ten times.
    #[must_use]
    pub const fn most(self) -> i64 {
        match self {
            Self::ContractLintRules => self.default_limit() * 10,
            _ => self.default_limit() * 100,
        }
    }

    /// The limit of a tenant for which no other was set.
    #[must_use]
    pub const fn default_limit(self) -> i64 {
        match self {
            Self::Environments
            | Self::DataPlanes
            | Self::BrokerPools
            | Self::ComputePools
            | Self::ContractLintRules => 50,
            Self::ClusterLinks => 20,
            Self::Clusters => 200,
            Self::AlertRules | Self::Jobs => 500,
            Self::Topics | Self::ServiceAccounts | Self::Quotas | Self::Contracts => 5_000,
            Self::Partitions => 20_000,
            Self::ApiKeys => 10_000,
            Self::ContractVersions => 50_000,
            Self::ContractBytes => 256 * 1024 * 1024,
        }
    }
}
