// Calls of `type: sql` on PostgreSQL. Reading: a read-only transaction. Writing: one transaction together
// with a row in `holdfast_effects` of the same database, so that a repeated call finds its own result
// instead. Values come as exact as JSON has them, and as PostgreSQL writes them where JSON has none such.

#include "tool/postgres_sql.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "postgres/address.h"
#include "postgres/query.h"
#include "spec/duration.h"
#include "tool/postgres_script.h"
#include "tool/sql_settings.h"

namespace holdfast::agent {

namespace {

using postgres::Client;
using postgres::ClientError;
using postgres::ClientRow;
using postgres::Text;

constexpr std::size_t kMaxRowBytes = 16 << 20;

// pg_type.dat
enum Oid : std::uint32_t {
  kBool = 16,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kOid = 26,
  kJson = 114,
  kFloat4 = 700,
  kFloat8 = 701,
  kTimestamp = 1114,
  kTimestampTz = 1184,
  kJsonb = 3802,
};

std::string parameter_of(const postgres::Address& address, const char* name) {
  const auto found = address.parameters.find(name);
  return found == address.parameters.end() ? std::string() : found->second;
}

// ---- values

// The numbers of a JSON text as they are written, in any order.
std::vector<std::string> numbers_of(std::string_view json) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (c == '"') {
      for (++at; at < json.size() && json[at] != '"'; ++at) at += json[at] == '\\' ? 1 : 0;
    } else if (c == '-' || (c >= '0' && c <= '9')) {
      const std::size_t end = std::min(json.find_first_not_of("0123456789+-.eE", at), json.size());
      out.emplace_back(json.substr(at, end - at));
      at = end - 1;
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

// As it is when a reader of doubles loses nothing of it; else its text.
Json json_value(std::string_view text) {
  auto read = read_json(text, kMaxForeignJsonDepth, Integers::kExact);
  if (!read || numbers_of(text) != numbers_of(dump_json(*read))) return std::string(text);
  return *std::move(read);
}

// "2026-11-29 01:02:03.5+00" becomes RFC 3339's 2026-11-29T01:02:03.5Z; infinity and years before Christ
// stay.
std::string time_value(std::string_view text, bool zone) {
  std::string out(text);
  const std::size_t blank = out.find(' ');
  if (blank == std::string::npos || out.ends_with("BC")) return out;
  out[blank] = 'T';
  if (zone && out.ends_with("+00")) out.replace(out.size() - 3, 3, "Z");
  return out;
}

Json value_of(std::uint32_t type, std::string_view text) {
  const std::string copy(text);
  switch (type) {
    case kBool: return text == "t";
    case kInt2:
    case kInt4:
    case kInt8:
    case kOid: return static_cast<std::int64_t>(std::strtoll(copy.c_str(), nullptr, 10));
    case kFloat4:
    case kFloat8: {
      const double number = std::strtod(copy.c_str(), nullptr);
      return std::isfinite(number) ? Json(number) : Json(copy);
    }
    case kJson:
    case kJsonb: return json_value(text);
    case kTimestamp: return time_value(text, false);
    case kTimestampTz: return time_value(text, true);
    default: return to_utf8(text);
  }
}

Text parameter_text(const Json& value) {
  if (value.is_null()) return std::nullopt;
  return value.is_string() ? value.get<std::string>() : dump_json(value);
}

// ---- a call

class PostgresCall {
 public:
  PostgresCall(const ToolSpec& tool, const Json& arguments, const ToolContext& context)
      : tool_(tool),
        sql_(settings_of<SqlSettings>(tool)),
        arguments_(arguments),
        context_(context),
        written_(arguments, context) {}

  ToolEnding run(const std::string& text) {
    auto script = read_postgres_script(sql_.statement);
    if (!script) return {Ending::kFailed, std::string(script.error().message())};
    script_ = *std::move(script);
    for (const auto& [unused, value] : arguments_.items()) {
      if (value.is_string() && value.get_ref<const std::string&>().contains('\0'))
        return {Ending::kFailed, "an argument holds a NUL, which PostgreSQL does not take"};
    }
    if (auto bad = open(text)) return *bad;
    return sql_.read_only ? read() : write();
  }

 private:
  std::optional<ToolEnding> open(const std::string& text) {
    if (auto bad = wrong_address(text)) return ToolEnding(Ending::kFailed, *bad);
    const auto address = postgres::parse_address(text);
    if (!address) return ToolEnding(Ending::kFailed, std::string(address.error().message()));
    postgres::ClientOptions options;
    options.parameters = address->parameters;
    options.timeout = tool_.timeout;
    options.max_row_bytes = kMaxRowBytes;
    options.beat_every = kBeatInterval;
    options.beat = [this] {
      if (context_.beat) context_.beat();
      return context_.stop.stop_requested();
    };
    if (!sql_.password_env.empty()) {
      auto password = context_.permits->variable(sql_.password_env, password_place(sql_.database));
      if (!password) return ToolEnding(Ending::kFailed, password.error().message());
      options.parameters["password"] = *std::move(password);
    }
    ClientError error;
    client_ = Client::open(std::move(options), *context_.clock, error);
    if (!client_) return ending_of(error, "cannot connect");
    const std::string limit = std::to_string(tool_.timeout.count());
    if (auto bad = client_->run(
            "SELECT set_config('statement_timeout', $1, false), set_config('lock_timeout', $1, false), "
            "set_config('idle_in_transaction_session_timeout', $1, false), "
            "set_config('DateStyle', 'ISO', false), set_config('TimeZone', 'UTC', false), "
            "set_config('IntervalStyle', 'iso_8601', false), "
            "set_config('bytea_output', 'hex', false), set_config('extra_float_digits', '1', false)",
            {limit}))
      return ending_of(*bad, "cannot begin");
    if (text.find("schema=") == std::string::npos) return std::nullopt;
    if (auto bad = client_->run("SELECT set_config('search_path', $1, false)", {address->schema}))
      return ending_of(*bad, "cannot begin");
    return std::nullopt;
  }

  ToolEnding ending_of(const ClientError& error, std::string_view what) const {
    switch (error.kind) {
      case ClientError::Kind::kRefused: return {Ending::kFailed, fmt::format("{}: {}", what, error.message)};
      case ClientError::Kind::kPassing:
      case ClientError::Kind::kLost:
      case ClientError::Kind::kStopped: return {Ending::kRetry, fmt::format("{}: {}", what, error.message)};
      case ClientError::Kind::kExpired:
        return {Ending::kFailed, fmt::format("the statement ran longer than {} and was stopped",
                                             spec::format_duration(tool_.timeout))};
      case ClientError::Kind::kTooLarge: return {Ending::kFailed, fmt::format("{}: {}", what, error.message)};
    }
    return {Ending::kFailed, error.message};
  }

  ToolEnding read() {
    if (auto bad = client_->run("BEGIN TRANSACTION READ ONLY", {})) return ending_of(*bad, "cannot begin");
    // From the first look at the data on nothing makes it writable.
    if (auto bad = client_->run("SELECT 1", {})) return ending_of(*bad, "cannot begin");
    if (auto bad = statements()) return *bad;
    return {Ending::kDone, result()};
  }

  ToolEnding write() {
    if (auto bad = client_->run("BEGIN TRANSACTION READ WRITE", {})) return ending_of(*bad, "cannot begin");
    if (auto bad = find_effects()) return *bad;
    const std::string& key = context_.idempotency_key;
    // A call of the same key that is under way is waited for here.
    if (auto bad = client_->run(
            fmt::format("INSERT INTO {} (key, tool, result) VALUES ($1, $2, '') ON CONFLICT DO NOTHING",
                        effects_),
            {key, tool_.name}))
      return ending_of(*bad, "cannot record the effect");
    if (client_->affected() == 0) return result_before();
    if (auto bad = statements()) return *bad;
    std::string text = result();
    if (auto bad =
            client_->run(fmt::format("UPDATE {} SET result = $2 WHERE key = $1", effects_), {key, text}))
      return ending_of(*bad, "cannot record the effect");
    // After a failed commit the outcome is told by the row of holdfast_effects: the retry looks there.
    if (auto bad = client_->run("COMMIT", {})) return {Ending::kRetry, "cannot commit: " + bad->message};
    if (client_->command() != "COMMIT") return {Ending::kFailed, "the transaction was rolled back"};
    return {Ending::kDone, std::move(text)};
  }

  // The table of this schema, made when it is not there; one maker at a time.
  std::optional<ToolEnding> find_effects() {
    bool there = false;
    const auto look = [&](const ClientRow& row) {
      effects_ = std::string(row.values.at(0).value_or("")) + ".holdfast_effects";
      there = row.values.at(1).has_value();
      return true;
    };
    if (auto bad = client_->run("SELECT quote_ident(current_schema()), "
                                "to_regclass(quote_ident(current_schema()) || '.holdfast_effects')",
                                {}, look))
      return ending_of(*bad, "cannot read holdfast_effects");
    if (there) return std::nullopt;
    if (auto bad = client_->run("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", {effects_}))
      return ending_of(*bad, "cannot make holdfast_effects");
    if (auto bad = client_->run(
            fmt::format("CREATE TABLE IF NOT EXISTS {} (key text PRIMARY KEY, tool text NOT NULL, "
                        "result text NOT NULL, at timestamptz NOT NULL DEFAULT now())",
                        effects_),
            {}))
      return ending_of(*bad, "cannot make holdfast_effects");
    return std::nullopt;
  }

  ToolEnding result_before() {
    std::string text;
    const auto take = [&](const ClientRow& row) {
      text = row.values.at(0).value_or("");
      return true;
    };
    if (auto bad = client_->run(fmt::format("SELECT result FROM {} WHERE key = $1", effects_),
                                {context_.idempotency_key}, take))
      return ending_of(*bad, "cannot read holdfast_effects");
    return {Ending::kDone, std::move(text)};
  }

  std::optional<ToolEnding> statements() {
    for (std::size_t i = 0; i < script_.size(); ++i) {
      if (auto bad = step(script_[i], i + 1 == script_.size())) return bad;
    }
    if (truncated_ && context_.as_data) return ToolEnding(Ending::kFailed, why_cut(sql_, rows_.size()));
    return std::nullopt;
  }

  std::optional<ToolEnding> step(const PostgresStatement& statement, bool last) {
    std::vector<Text> parameters;
    for (const std::string& name : statement.parameters) {
      if (name == "idempotency_key") {
        parameters.emplace_back(context_.idempotency_key);
      } else {
        const auto found = arguments_.find(name);
        if (found == arguments_.end())
          parameters.push_back(std::nullopt);
        else if (found->is_structured())
          parameters.push_back(written_.text(name));
        else
          parameters.push_back(parameter_text(*found));
      }
    }
    Json rows = Json::array();
    bool answers = false;
    bool truncated = false;
    std::size_t bytes = 0;
    std::vector<std::string> names;
    const auto on_row = [&](const ClientRow& row) {
      answers = true;
      if (truncated) return true;
      if (names.empty()) names = distinct_names(row.names);
      Json out = Json::object();
      for (std::size_t i = 0; i < row.values.size(); ++i)
        out[names[i]] = row.values[i] ? value_of(row.types[i], *row.values[i]) : Json();
      bytes += dump_json(out).size() + 1;
      truncated = rows.size() >= sql_.max_rows || bytes > sql_.max_bytes;
      if (!truncated) rows.push_back(std::move(out));
      return !(truncated && last && sql_.read_only);  // what writes must still run to its end
    };
    const auto on_columns = [&](const ClientRow& row) { answers = answers || !row.names.empty(); };
    if (auto bad = client_->run(statement.sql, parameters, on_row, on_columns))
      return ending_of(*bad, "the statement failed");
    if (answers) {
      rows_ = std::move(rows);
      truncated_ = truncated;
    }
    const std::string& command = client_->command();
    if (command == "INSERT" || command == "UPDATE" || command == "DELETE" || command == "MERGE")
      changes_ += client_->affected();
    if (truncated && last && sql_.read_only) return std::nullopt;
    if (!client_->in_transaction())
      return ToolEnding(Ending::kFailed, "the statement ended the tool's transaction");
    return std::nullopt;
  }

  std::string result() const {
    Json out = {{"rows", rows_}};
    if (truncated_) out["truncated"] = true;
    if (!sql_.read_only) out["changes"] = changes_;
    return dump_json(out);
  }

  const ToolSpec& tool_;
  const SqlSettings& sql_;
  const Json& arguments_;
  const ToolContext& context_;
  WrittenValues written_;
  std::vector<PostgresStatement> script_;
  std::unique_ptr<Client> client_;
  std::string effects_;  // the table, with its schema
  Json rows_ = Json::array();
  bool truncated_ = false;
  std::int64_t changes_ = 0;
};

}  // namespace

bool is_postgres(std::string_view database) {
  return database.starts_with("postgres://") || database.starts_with("postgresql://");
}

std::optional<std::string> wrong_address(const std::string& text) {
  const auto address = postgres::parse_address(text);
  if (!address) {
    return "must be postgres://USER@HOST:PORT/DATABASE, without a password: give that with `password_env`";
  }
  for (const char* name : {"host", "user", "dbname"}) {
    if (parameter_of(*address, name).empty() &&
        !(std::string_view(name) == "host" && !parameter_of(*address, "hostaddr").empty()))
      return fmt::format("names no {}: postgres://USER@HOST:PORT/DATABASE", name);
  }
  return std::nullopt;
}

std::string password_place(const std::string& database) {
  if (!is_postgres(database)) return {};
  const auto address = postgres::parse_address(database);
  if (!address) return {};
  std::string host = parameter_of(*address, "host");
  if (host.empty()) host = parameter_of(*address, "hostaddr");
  if (host.starts_with('/') || host.contains(',')) return {};  // a socket, or several: granted without a host
  const std::string port = parameter_of(*address, "port");
  return fmt::format("https://{}:{}", host.contains(':') ? "[" + host + "]" : host,
                     port.empty() ? "5432" : port);
}

ToolEnding call_postgres(const std::string& address, const ToolSpec& tool, const Json& arguments,
                         const ToolContext& context) {
  return PostgresCall(tool, arguments, context).run(address);
}

}  // namespace holdfast::agent
