#include "grant/permits.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "definition/value_name.h"
#include "spec/template.h"

namespace holdfast::grant {

namespace fs = std::filesystem;

namespace {

using Kind = Grant::Kind;

fs::path followed(const fs::path& path) {
  std::error_code error;
  // Most are there, and then this is the whole of it.
  if (fs::path there = fs::canonical(path, error); !error) return there;
  fs::path out = fs::weakly_canonical(path, error);
  return error ? fs::path() : out;
}

bool is_below(const fs::path& file, const fs::path& folder) {
  const auto [end, unused] = std::mismatch(folder.begin(), folder.end(), file.begin(), file.end());
  return end == folder.end();
}

bool is_postgres(std::string_view database) {
  return database.starts_with("postgres://") || database.starts_with("postgresql://");
}

std::shared_ptr<const net::Reach> reach_of(const std::vector<Grant>& grants, const Own& own) {
  std::vector<net::HostRule> rules;
  for (const Grant& grant : grants) {
    if (grant.host) rules.push_back(*grant.host);
  }
  return std::make_shared<const net::Reach>(std::move(rules), own.ports);
}

std::string described(const std::string& name) {
  const auto secret = agent::secret_named(name);
  return secret ? fmt::format("the secret {}", *secret) : fmt::format("the environment variable {}", name);
}

// What grants a value wherever it may stand: a secret as definitions write it.
std::string as_granted(const std::string& name) {
  return agent::secret_named(name) ? name : "env:" + name;
}

// A secret that is bound to a host goes there, and unless its port was chosen, too, not in the clear.
bool may_carry(const net::HostRule& rule, const net::Origin& origin) {
  return rule.covers(origin) && (rule.port || origin.scheme == "https");
}

}  // namespace

Permits::Permits(std::vector<Grant> grants, Own own, Environment environment, SecretSource* secrets)
    : grants_(std::move(grants)),
      own_(std::move(own)),
      environment_(environment),
      reach_(reach_of(grants_, own_)),
      secrets_(secrets) {}

Status Permits::check(const agent::Need& need) const {
  switch (need.kind) {
    case agent::Need::Kind::kHost: {
      const auto read = net::read_url(need.url);
      if (!read) return read.error();
      const auto refused = reach_->refusal(read->origin);
      return refused ? refused->status() : Status();
    }
    case agent::Need::Kind::kVariable:
      return need.url.empty() ? may_name(need.name) : may_send(Kind::kVariable, need.name, need.url);
    case agent::Need::Kind::kKey: return may_send(Kind::kKey, need.name, need.url);
    case agent::Need::Kind::kCommand: return may_start(need.name);
    case agent::Need::Kind::kDatabase: {
      const auto file = database(need.name, need.writes);
      return file || file.error().code() != Code::kPermissionDenied ? Status() : file.error();
    }
    case agent::Need::Kind::kActivity: {
      const std::string any = "*" + need.name.substr(std::min(need.name.find('@'), need.name.size()));
      for (const Grant& grant : grants_) {
        if (grant.kind == Kind::kActivity && (grant.name == need.name || grant.name == any)) return {};
      }
      return net::Refusal{fmt::format("scheduling the activity {}", need.name), "activity:" + need.name}
          .status();
    }
  }
  return {Code::kInternal, "a need of no kind"};
}

Status Permits::may_start(const std::string& command) const {
  for (const Grant& grant : grants_) {
    if (grant.kind == Kind::kCommand && grant.name == command) return {};
  }
  return net::Refusal{fmt::format("the command {}", command), "command:" + command}.status();
}

Status Permits::may_send(Kind kind, const std::string& name, std::string_view url) const {
  const auto read = net::read_url(url);
  if (!read) return read.error();
  // What was granted as a key is not sent about on a grant that names no host.
  const bool is_key = std::any_of(grants_.begin(), grants_.end(), [&](const Grant& grant) {
    return grant.kind == Kind::kKey && grant.name == name;
  });
  for (const Grant& grant : grants_) {
    if (grant.kind != kind || grant.name != name) continue;
    if (grant.host ? may_carry(*grant.host, read->origin) : !is_key) return {};
  }
  const bool plain = read->origin.scheme != "https";
  const std::string place = plain ? read->origin.place() : net::rule_for(read->origin);
  const bool as_key = kind == Kind::kKey;
  return net::Refusal{fmt::format("{}, sent {}to {},", described(name), as_key ? "as a model's key " : "",
                                  read->origin.place()),
                      fmt::format("{}@{}", as_key ? "key:" + name : as_granted(name), place)}
      .status();
}

Status Permits::may_name(const std::string& name) const {
  for (const Grant& grant : grants_) {
    if (grant.kind == Kind::kVariable && grant.name == name && !grant.host) return {};
  }
  return net::Refusal{described(name), as_granted(name)}.status();
}

Result<std::string> Permits::value(const std::string& name) const {
  if (const auto secret = agent::secret_named(name)) {
    if (secrets_ != nullptr) return secrets_->use(std::string(*secret));
    return fail(Code::kFailedPrecondition,
                fmt::format("the secret {} is not here: this process has no stored secrets", *secret));
  }
  const char* value = environment_ == nullptr ? nullptr : environment_(name.c_str());
  if (value != nullptr) return std::string(value);
  return fail(Code::kFailedPrecondition,
              fmt::format("the environment variable {} is not set; set it where the worker runs", name));
}

Result<std::string> Permits::variable(const std::string& name, std::string_view url) const {
  Status may = url.empty() ? may_name(name) : may_send(Kind::kVariable, name, url);
  if (!may.ok()) return fail(std::move(may));
  return value(name);
}

Result<std::string> Permits::program_variable(const std::string& name) const {
  if (Status may = may_name(name); !may.ok()) return fail(std::move(may));
  return value(name);
}

Status Permits::command(const std::vector<std::string>& words) const {
  return may_start(agent::command_text(words));
}

Result<std::string> Permits::key(const std::string& name, std::string_view url) const {
  if (Status may = may_send(Kind::kKey, name, url); !may.ok()) return fail(std::move(may));
  return value(name);
}

bool Permits::covers(const Grant& grant, const fs::path& file) const {
  if (!grant.name.starts_with('/') || grant.name.find("${") != std::string::npos) return false;
  const fs::path granted = followed(grant.name);
  if (granted.empty()) return false;
  // A path that ends in / keeps an empty last part, unless it is there and was followed.
  if (grant.name.ends_with('/'))
    return file != granted && is_below(file, granted.has_filename() ? granted : granted.parent_path());
  return file == granted;
}

bool Permits::is_granted_as_written(const std::string& database, bool writes) const {
  return std::any_of(grants_.begin(), grants_.end(), [&](const Grant& grant) {
    return grant.kind == Kind::kDatabase && (grant.writes || !writes) && grant.name == database;
  });
}

Result<std::optional<std::string>> Permits::postgres(const std::string& database, bool writes) const {
  if (!is_postgres(database) && !database.starts_with("${")) return std::nullopt;
  const bool granted = is_granted_as_written(database, writes);
  const net::Refusal refused{fmt::format("{} the database {}", writes ? "writing" : "reading", database),
                             fmt::format("database{}:{}", writes ? ".write" : "", database)};
  auto filled = spec::fill_environment(database, [&](const std::string& name) -> Result<std::string> {
    if (!granted && !may_name(name).ok()) return fail(refused.status());
    return value(name);
  });
  if (!filled) return fail(filled.error());
  if (!is_postgres(*filled)) return std::nullopt;
  if (!granted) return fail(refused.status());
  return std::optional(*std::move(filled));
}

Result<fs::path> Permits::database(const std::string& path, bool writes) const {
  const net::Refusal refused{fmt::format("{} the database {}", writes ? "writing" : "reading", path),
                             fmt::format("database{}:{}", writes ? ".write" : "", path)};
  const auto is_granted = [&](auto&& covers) {
    return std::any_of(grants_.begin(), grants_.end(), [&](const Grant& grant) {
      return grant.kind == Kind::kDatabase && (grant.writes || !writes) && covers(grant);
    });
  };
  const bool as_written = is_granted_as_written(path, writes);
  auto filled = spec::fill_environment(path, [&](const std::string& name) -> Result<std::string> {
    if (!as_written && !may_name(name).ok()) return fail(refused.status());
    return value(name);
  });
  if (!filled) return fail(filled.error());
  if (is_postgres(*filled) && !as_written) return fail(refused.status());
  if (!filled->starts_with('/') || filled->find('\0') != std::string::npos)
    return fail(Code::kInvalidArgument, fmt::format("the database {} is no absolute path", path));
  const fs::path file = followed(*filled);
  if (file.empty()) return fail(Code::kInvalidArgument, fmt::format("the database {} is no path", path));
  for (const fs::path& own : own_.paths) {
    if (is_below(file, followed(own))) {
      return fail(
          net::Refusal{fmt::format("the database {} is this server's own, which no grant opens", path), ""}
              .status());
    }
  }
  if (as_written || is_granted([&](const Grant& grant) { return covers(grant, file); })) return file;
  return fail(refused.status());
}

}  // namespace holdfast::grant
