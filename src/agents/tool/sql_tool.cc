// `type: sql`: the type, and its calls on SQLite (those on PostgreSQL: postgres_sql.cc). Reading: a read-only
// connection, and statements that sqlite3 calls read-only. Writing: one transaction together with a row in
// `holdfast_effects` of the same database, so that a repeated call finds its own result instead.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "definition/names.h"
#include "definition/value_name.h"
#include "spec/duration.h"
#include "spec/template.h"
#include "sqlite/heap_limit.h"
#include "sqlite/spill_limit.h"
#include "sqlite/statement.h"
#include "tool/activity_tool.h"
#include "tool/postgres_script.h"
#include "tool/postgres_sql.h"
#include "tool/sql_connections.h"
#include "tool/sql_settings.h"

namespace holdfast::agent {

namespace {

using sqlite::ColumnType;
using sqlite::Statement;

constexpr std::string_view kSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "required": ["database", "statement"],
  "properties": {
    "database": {"type": "string", "minLength": 1, "description": "A file of SQLite, or postgres://USER@HOST/DATABASE."},
    "password_env": {"type": "string", "description": "Of PostgreSQL: name of the variable that holds the password."},
    "statement": {"type": "string", "minLength": 1},
    "read_only": {"type": "boolean"},
    "max_rows": {"type": "integer", "minimum": 1, "maximum": 10000},
    "max_bytes": {"type": "integer", "minimum": 1, "maximum": 4194304}
  }
})json";

// What one text, blob or row of a statement may take, whoever wrote what it computes from.
constexpr int kMaxValueBytes = 16 << 20;

// What SQLite may hold for one call; all that run at the same time draw on ToolContext::memory.
constexpr std::size_t kMaxHeapBytes = 64 << 20;
// And what it may write for one, and for all, that does not fit: sorts, and tables of its own.
constexpr std::int64_t kMaxSpillBytes = 256 << 20;
constexpr std::int64_t kMaxSpillBytesOfAll = 1 << 30;

constexpr std::string_view kPositional =
    "SQLite would take a parameter without a name, `?`, for NULL: name arguments as `:argument`";

std::string resolve_database(std::string database, std::string_view base_directory) {
  // A path that begins with a variable may turn out to be absolute.
  if (database.empty() || base_directory.empty() || database.starts_with("${") || is_postgres(database))
    return database;
  std::filesystem::path path(database);
  return path.is_absolute() ? database
                            : (std::filesystem::path(base_directory) / path).lexically_normal().string();
}

// Arguments that the statement uses. Which of the two databases a variable leads to is known at the call
// only.
std::vector<std::string> statement_arguments(spec::MapReader& in, const SqlSettings& sql) {
  if (!is_postgres(sql.database) && !sql.database.starts_with("${")) {
    if (spec::has_positional_parameters(sql.statement)) in.problem("statement", kPositional);
    return spec::sql_parameters(sql.statement);
  }
  const auto script = read_postgres_script(sql.statement);
  if (!script) {
    if (is_postgres(sql.database) && !sql.statement.empty())
      in.problem("statement", std::string(script.error().message()));
    return spec::sql_parameters(sql.statement);
  }
  std::vector<std::string> out;
  for (const PostgresStatement& one : *script) {
    for (const std::string& name : one.parameters) {
      if (name != "idempotency_key") out.push_back(name);
    }
  }
  return out;
}

void read_postgres(spec::MapReader& in, SqlSettings& out) {
  out.password_env = in.text("password_env");
  const bool variable = out.database.starts_with("${");
  if (!out.password_env.empty() && !is_value_name(out.password_env)) {
    in.problem("password_env", "must be the name of an environment variable, not the password");
    out.password_env.clear();
  } else if (!out.password_env.empty() && !variable && !is_postgres(out.database)) {
    in.problem("password_env", "a file of SQLite has no password; remove it");
  }
  if (!is_postgres(out.database)) return;
  if (auto bad = wrong_address(out.database)) in.problem("database", *bad);
}

void read(ToolReader& reader) {
  auto out = std::make_shared<SqlSettings>();
  spec::MapReader in = reader.in.map("sql");
  out->database = resolve_database(in.required_text("database"), reader.base_directory);
  read_postgres(in, *out);
  out->statement = in.required_text("statement");
  out->read_only = in.boolean("read_only", true);
  out->max_rows = static_cast<std::size_t>(in.integer("max_rows", 100, 1, kMostRows));
  out->max_bytes = static_cast<std::size_t>(in.integer("max_bytes", 64 * 1024, 1, kMostBytes));
  in.finish();
  check_declared(in, "statement", statement_arguments(in, *out), reader.tool.parameters);
  const Effect only = out->read_only ? Effect::kPure : Effect::kTransactional;
  if (reader.effect_given && reader.tool.effect != only) {
    reader.in.problem("effect", fmt::format("this SQL tool is {} (`read_only: {}`); remove `effect`",
                                            to_string(only), out->read_only));
  }
  reader.tool.effect = only;
  reader.tool.settings = std::move(out);
}

Json canonical(const ToolSpec& tool) {
  const auto& sql = settings_of<SqlSettings>(tool);
  Json out = {{"database", sql.database},
              {"statement", sql.statement},
              {"read_only", sql.read_only},
              {"max_rows", sql.max_rows},
              {"max_bytes", sql.max_bytes}};
  if (!sql.password_env.empty()) out["password_env"] = sql.password_env;
  return out;
}

Needs needs(const ToolSpec& tool) {
  const auto& sql = settings_of<SqlSettings>(tool);
  Needs out = {{.kind = Need::Kind::kDatabase, .name = sql.database, .url = {}, .writes = !sql.read_only}};
  if (!sql.password_env.empty())
    out.push_back(
        {.kind = Need::Kind::kVariable, .name = sql.password_env, .url = password_place(sql.database)});
  return out;
}

// A stored definition has no folder any more: a relative path would mean whatever folder the worker was
// started in.
std::optional<std::string> check(const ToolSpec& tool) {
  const std::string& database = settings_of<SqlSettings>(tool).database;
  if (database.starts_with('/') || database.starts_with("${") || is_postgres(database)) return std::nullopt;
  return fmt::format(
      "`database: {}` is relative, and this text came without a folder to start from; make it absolute, or "
      "say where the file lies",
      database);
}

// ---- a call

class SqlCall {
 public:
  SqlCall(const ToolSpec& tool, const Json& arguments, const ToolContext& context)
      : tool_(tool),
        sql_(settings_of<SqlSettings>(tool)),
        arguments_(arguments),
        context_(context),
        written_(arguments, context),
        clock_(*context.clock),
        heap_bytes_(std::min(kMaxHeapBytes, context.memory->limit())) {}

  ToolEnding run() {
    auto path = context_.permits->database(sql_.database, !sql_.read_only);
    if (!path) return {Ending::kFailed, path.error().message()};
    if (!connect(*path)) return failure("cannot open the database");
    const MonotonicTime now = clock_.monotonic();
    deadline_ = now + tool_.timeout;
    next_beat_ = now + kBeatInterval;
    db().stop_when([this] { return must_stop(); });
    ToolEnding ending = sql_.read_only ? read() : write();
    if (ending.ending == Ending::kDone) keep();
    return ending;
  }

 private:
  sqlite::Database& db() { return connection_->db; }

  bool connect(const std::filesystem::path& path) {
    if (is_kept()) connection_ = context_.sql_connections->take(path);
    if (connection_) {
      heap_.take_over(connection_->held.bytes());
      return true;
    }
    connection_ = std::make_unique<SqlConnection>();
    connection_->path = path;
    connection_->file = FileState::of(path);
    const sqlite::Options options{
        .access = sql_.read_only ? sqlite::Access::kReadOnly : sqlite::Access::kReadWrite,
        .vfs = sqlite::spill_vfs()};
    if (!db().open(path, options).ok()) return false;
    db().bound_values(kMaxValueBytes);
    return true;
  }

  bool is_kept() const { return sql_.read_only && context_.sql_connections != nullptr; }

  // After a call that went well, of which nothing is left on the connection.
  void keep() {
    if (!is_kept() || spill_.open_files() > 0 || db().in_transaction()) return;
    db().stop_when(nullptr);
    db().confine(false);
    db().release_memory();
    context_.sql_connections->keep(std::move(connection_), heap_.used());
  }

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
                                           spec::format_duration(tool_.timeout))};
    }
    if (heap_.reached()) {
      return {Ending::kFailed, fmt::format("the statement needs more than {} MiB of memory and was stopped",
                                           heap_bytes_ >> 20)};
    }
    if (spill_.reached()) {
      return {Ending::kFailed,
              fmt::format("the statement writes more than {} MiB of temporary files, for what "
                          "it sorts or keeps aside, and was stopped",
                          kMaxSpillBytes >> 20)};
    }
    // Stopped in time: whoever runs the call stops. That says nothing about the statement.
    return {stopped_ || spill_.crowded() || db().may_pass() ? Ending::kRetry : Ending::kFailed,
            fmt::format("{}: {}", what, db().message())};
  }

  ToolEnding read() {
    db().confine(true);
    Json rows = Json::array();
    if (auto bad = statements(rows)) return *bad;
    return {Ending::kDone, result(rows)};
  }

  ToolEnding write() {
    Status begun = db().execute(
        "PRAGMA synchronous=FULL; BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS holdfast_effects("
        "key TEXT PRIMARY KEY, tool TEXT NOT NULL, result TEXT NOT NULL, "
        "at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP) WITHOUT ROWID");
    if (!begun.ok()) return failure("cannot begin the transaction");
    Result<std::optional<std::string>> before =
        Statement(db(), "SELECT result FROM holdfast_effects WHERE key = ?1")
            .bind(context_.idempotency_key)
            .one([](const Statement& row) { return row.text(0); });
    if (!before) return failure("cannot read holdfast_effects");
    if (*before) return {Ending::kDone, std::move(**before)};  // closing the database rolls back
    db().confine(true);
    const int changes_before = db().total_changes();
    Json rows = Json::array();
    if (auto bad = statements(rows)) return *bad;
    changes_ = db().total_changes() - changes_before;
    db().confine(false);
    std::string text = result(rows);
    Statement record(db(), "INSERT INTO holdfast_effects(key, tool, result) VALUES(?1, ?2, ?3)");
    if (!record.bind(context_.idempotency_key, tool_.name, text).run().ok())
      return failure("cannot record the effect");
    // After a failed commit the outcome is told by the row of holdfast_effects: the retry looks there.
    if (!db().execute("COMMIT").ok()) {
      ToolEnding ending = failure("cannot commit");
      ending.ending = Ending::kRetry;
      return ending;
    }
    return {Ending::kDone, std::move(text)};
  }

  // Runs every statement; rows of the last one that answers with rows. None when all went well.
  std::optional<ToolEnding> statements(Json& rows) {
    for (std::string_view script = sql_.statement; !script.empty();) {
      Statement statement = Statement::first_of(db(), script);
      if (statement.none()) continue;  // white space or a comment
      if (!statement.status().ok()) return failure("the statement is wrong");
      if (sql_.read_only && statement.writes()) {
        return ToolEnding(Ending::kFailed, "the statement writes, but the tool is `read_only: true`");
      }
      if (auto bad = bind(statement)) return bad;
      if (auto bad = step_through(statement, rows)) return bad;
    }
    if (truncated_ && context_.as_data) return ToolEnding(Ending::kFailed, why_cut(sql_, rows.size()));
    if (!no_data_.empty()) return ToolEnding(Ending::kFailed, no_data_);
    return std::nullopt;
  }

  std::optional<ToolEnding> bind(Statement& statement) {
    for (int i = 1; i <= statement.parameters(); ++i) {
      const std::string_view name = statement.parameter_name(i);
      // A database that a variable names is known only here to be SQLite.
      if (name.empty() || name.starts_with('?')) return ToolEnding(Ending::kFailed, std::string(kPositional));
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
      if (found->is_structured())
        statement.bind_at(i, written_.text(argument));
      else
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
      statement.bind_at(parameter, value.get<std::string>());
    }
  }

  std::optional<ToolEnding> step_through(Statement& statement, Json& rows) {
    if (statement.columns() > 0) {
      rows = Json::array();
      bytes_ = 0;
      truncated_ = false;
      no_data_.clear();
    }
    std::vector<std::string> columns;
    for (int i = 0; i < statement.columns(); ++i) columns.emplace_back(statement.column_name(i));
    const std::vector<std::string> names = distinct_names(columns);
    while (statement.next()) {
      if (truncated_) continue;  // a writing statement must still run to its end
      Json row = row_of(statement, names);
      bytes_ += dump_json(row).size() + 1;
      if (rows.size() >= sql_.max_rows || bytes_ > sql_.max_bytes) {
        truncated_ = true;
        if (sql_.read_only) return std::nullopt;
        continue;
      }
      rows.push_back(std::move(row));
    }
    if (!statement.status().ok()) return failure("the statement failed");
    return std::nullopt;
  }

  Json row_of(const Statement& statement, const std::vector<std::string>& names) {
    Json row = Json::object();
    for (int i = 0; i < statement.columns(); ++i) {
      const std::string& name = names[static_cast<std::size_t>(i)];
      Json& cell = row[name];
      switch (statement.type(i)) {
        case ColumnType::kInteger: cell = statement.integer(i); break;
        case ColumnType::kReal: cell = real(statement.real(i)); break;
        case ColumnType::kNull: break;
        case ColumnType::kBlob:
          cell = fmt::format("(blob of {} bytes)", statement.view(i).size());
          is_no_data(name, "is a blob");
          break;
        case ColumnType::kText:
          cell = statement.text(i);
          if (!is_utf8(statement.view(i))) is_no_data(name, "is a text that is not UTF-8");
          break;
      }
    }
    return row;
  }

  // JSON has no number for it; the text is that of PostgreSQL.
  static Json real(double value) {
    if (std::isfinite(value)) return value;
    return value < 0 ? "-Infinity" : "Infinity";
  }

  void is_no_data(const std::string& column, std::string_view what) {
    if (!context_.as_data || !no_data_.empty()) return;
    no_data_ = fmt::format("the column `{}` {}, which JSON does not have: select hex({}) instead{}", column,
                           what, column, sql_.read_only ? "" : "; nothing was changed");
  }

  std::string result(const Json& rows) const {
    Json out = {{"rows", rows}};
    if (truncated_) out["truncated"] = true;
    if (!sql_.read_only) out["changes"] = changes_;
    return dump_json(out);
  }

  const ToolSpec& tool_;
  const SqlSettings& sql_;
  const Json& arguments_;
  const ToolContext& context_;
  WrittenValues written_;
  const Clock& clock_;
  const std::size_t heap_bytes_;
  // Before the connection, which goes first.
  sqlite::HeapLimit heap_{heap_bytes_, *context_.memory};
  sqlite::SpillLimit spill_{kMaxSpillBytes, kMaxSpillBytesOfAll};
  std::unique_ptr<SqlConnection> connection_;
  MonotonicTime deadline_{};
  MonotonicTime next_beat_{};
  bool expired_ = false;  // what must_stop() found last
  bool stopped_ = false;
  std::size_t bytes_ = 0;
  bool truncated_ = false;
  std::string no_data_;  // why the rows are not what stands in the database, for whoever computes with them
  int changes_ = 0;
};

ToolEnding run(const ToolSpec& tool, const Json& arguments, const ToolContext& context) {
  const auto& sql = settings_of<SqlSettings>(tool);
  const auto address = context.permits->postgres(sql.database, !sql.read_only);
  if (!address) return {Ending::kFailed, address.error().message()};
  return *address ? call_postgres(**address, tool, arguments, context)
                  : SqlCall(tool, arguments, context).run();
}

}  // namespace

constinit const ActivityTool kSqlTool({.name = "sql",
                                       .schema = kSchema,
                                       .section_needs = "with `database` and `statement`",
                                       .has_effect = true,
                                       .read = read,
                                       .canonical = canonical,
                                       .needs = needs,
                                       .check = check},
                                      run);

}  // namespace holdfast::agent
