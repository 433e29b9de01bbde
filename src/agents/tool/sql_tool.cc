#include <cstdint>

#include <fmt/format.h>

#include "base/json.h"
#include "spec/duration.h"
#include "spec/template.h"
#include "sqlite/statement.h"
#include "tool/tool.h"

namespace holdfast::agent {

namespace {

using sqlite::ColumnType;
using sqlite::Statement;

class SqlCall {
 public:
  SqlCall(const ToolSpec& tool, const Json& arguments, const ToolContext& context, const Clock& clock)
      : tool_(tool), arguments_(arguments), context_(context), clock_(clock) {}

  ToolEnding run() {
    auto path = fill_environment(tool_.sql.database, context_.environment);
    if (!path) return {Ending::kFailed, path.error().message()};
    const sqlite::Options options{.access = tool_.sql.read_only ? sqlite::Access::kReadOnly
                                                                : sqlite::Access::kReadWrite};
    if (!db_.open(*path, options).ok()) return failure("cannot open the database");
    const MonotonicTime now = clock_.monotonic();
    deadline_ = now + tool_.timeout;
    next_beat_ = now + kBeatInterval;
    db_.stop_when([this] { return must_stop(); });
    return tool_.sql.read_only ? read() : write();
  }

 private:
  bool must_stop() {
    const MonotonicTime now = clock_.monotonic();
    if (now >= next_beat_ && context_.beat) {
      next_beat_ = now + kBeatInterval;
      context_.beat();
    }
    expired_ = now >= deadline_;
    stopped_ = context_.stop.stop_requested();
    return expired_ || stopped_;
  }

  ToolEnding failure(std::string_view what) {
    if (expired_) {
      return {Ending::kFailed, fmt::format("the statement ran longer than {} and was stopped",
                                           format_duration(tool_.timeout))};
    }
    // Stopped in time: whoever runs the call stops. That says nothing about the statement.
    return {stopped_ || db_.may_pass() ? Ending::kRetry : Ending::kFailed,
            fmt::format("{}: {}", what, db_.message())};
  }

  ToolEnding read() {
    db_.confine(true);
    Json rows = Json::array();
    if (auto bad = statements(rows)) return *bad;
    return {Ending::kDone, result(rows)};
  }

  ToolEnding write() {
    Status begun = db_.execute(
        "PRAGMA synchronous=FULL; BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS holdfast_effects("
        "key TEXT PRIMARY KEY, tool TEXT NOT NULL, result TEXT NOT NULL, "
        "at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP) WITHOUT ROWID");
    if (!begun.ok()) return failure("cannot begin the transaction");
    Result<std::optional<std::string>> before =
        Statement(db_, "SELECT result FROM holdfast_effects WHERE key = ?1")
            .bind(context_.idempotency_key)
            .one([](const Statement& row) { return row.text(0); });
    if (!before) return failure("cannot read holdfast_effects");
    if (*before) return {Ending::kDone, std::move(**before)};  // closing the database rolls back
    db_.confine(true);
    const int changes_before = db_.total_changes();
    Json rows = Json::array();
    if (auto bad = statements(rows)) return *bad;
    changes_ = db_.total_changes() - changes_before;
    db_.confine(false);
    std::string text = result(rows);
    Statement record(db_, "INSERT INTO holdfast_effects(key, tool, result) VALUES(?1, ?2, ?3)");
    if (!record.bind(context_.idempotency_key, tool_.name, text).run().ok())
      return failure("cannot record the effect");
    // After a failed commit the outcome is told by the row of holdfast_effects: the retry looks there.
    if (!db_.execute("COMMIT").ok()) {
      ToolEnding ending = failure("cannot commit");
      ending.ending = Ending::kRetry;
      return ending;
    }
    return {Ending::kDone, std::move(text)};
  }

  // Runs every statement; rows of the last one that answers with rows. None when all went well.
  std::optional<ToolEnding> statements(Json& rows) {
    for (std::string_view script = tool_.sql.statement; !script.empty();) {
      Statement statement = Statement::first_of(db_, script);
      if (statement.none()) continue;  // white space or a comment
      if (!statement.status().ok()) return failure("the statement is wrong");
      if (tool_.sql.read_only && statement.writes()) {
        return ToolEnding(Ending::kFailed, "the statement writes, but the tool is `read_only: true`");
      }
      if (auto bad = bind(statement)) return bad;
      if (auto bad = step_through(statement, rows)) return bad;
    }
    return std::nullopt;
  }

  std::optional<ToolEnding> bind(Statement& statement) {
    for (int i = 1; i <= statement.parameters(); ++i) {
      const std::string_view name = statement.parameter_name(i);
      if (name.empty()) continue;
      const std::string argument(name.substr(1));
      if (argument == "idempotency_key") {
        statement.bind_at(i, context_.idempotency_key);
        continue;
      }
      auto found = arguments_.find(argument);
      if (found == arguments_.end()) continue;
      // It would come out negative.
      if (found->is_number_unsigned() && found->get<std::uint64_t>() > std::uint64_t{INT64_MAX}) {
        return ToolEnding(
            Ending::kFailed,
            fmt::format("the argument `{}` is too large: integers go up to {} here", argument, INT64_MAX));
      }
      bind_value(statement, i, *found);
    }
    return std::nullopt;
  }

  static void bind_value(Statement& statement, int parameter, const Json& value) {
    if (value.is_null()) {
      statement.bind_at(parameter, nullptr);
    } else if (value.is_boolean()) {
      statement.bind_at(parameter, value.get<bool>());
    } else if (value.is_number_integer()) {
      statement.bind_at(parameter, value.get<std::int64_t>());
    } else if (value.is_number()) {
      statement.bind_at(parameter, value.get<double>());
    } else {
      statement.bind_at(parameter, value.is_string() ? value.get<std::string>() : value.dump());
    }
  }

  std::optional<ToolEnding> step_through(Statement& statement, Json& rows) {
    if (statement.columns() > 0) {
      rows = Json::array();
      bytes_ = 0;
      truncated_ = false;
    }
    while (statement.next()) {
      if (truncated_) continue;  // a writing statement must still run to its end
      Json row = row_of(statement);
      bytes_ += dump_json(row).size() + 1;
      if (rows.size() >= tool_.sql.max_rows || bytes_ > tool_.sql.max_bytes) {
        truncated_ = true;
        if (tool_.sql.read_only) return std::nullopt;
        continue;
      }
      rows.push_back(std::move(row));
    }
    if (!statement.status().ok()) return failure("the statement failed");
    return std::nullopt;
  }

  static Json row_of(const Statement& statement) {
    Json row = Json::object();
    for (int i = 0; i < statement.columns(); ++i) {
      Json& cell = row[std::string(statement.column_name(i))];
      switch (statement.type(i)) {
        case ColumnType::kInteger: cell = statement.integer(i); break;
        case ColumnType::kReal: cell = statement.real(i); break;
        case ColumnType::kNull: break;
        case ColumnType::kBlob: cell = fmt::format("(blob of {} bytes)", statement.view(i).size()); break;
        case ColumnType::kText: cell = statement.text(i); break;
      }
    }
    return row;
  }

  std::string result(const Json& rows) const {
    Json out = {{"rows", rows}};
    if (truncated_) out["truncated"] = true;
    if (!tool_.sql.read_only) out["changes"] = changes_;
    return dump_json(out);
  }

  const ToolSpec& tool_;
  const Json& arguments_;
  const ToolContext& context_;
  const Clock& clock_;
  sqlite::Database db_;
  MonotonicTime deadline_{};
  MonotonicTime next_beat_{};
  bool expired_ = false;  // what must_stop() found last
  bool stopped_ = false;
  std::size_t bytes_ = 0;
  bool truncated_ = false;
  int changes_ = 0;
};

}  // namespace

ToolEnding run_sql_tool(const ToolSpec& tool, const Json& arguments, const ToolContext& context,
                        const Clock& clock) {
  return SqlCall(tool, arguments, context, clock).run();
}

}  // namespace holdfast::agent
