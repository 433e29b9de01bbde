#include <cstdint>
#include <memory>

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/json.h"
#include "spec/duration.h"
#include "spec/template.h"
#include "tool/tool.h"

namespace holdfast::agent {

namespace {

using Database = std::unique_ptr<sqlite3, decltype([](sqlite3* db) { sqlite3_close_v2(db); })>;
using Statement = std::unique_ptr<sqlite3_stmt, decltype([](sqlite3_stmt* s) { sqlite3_finalize(s); })>;

constexpr int kOpsPerCheck = 20'000;  // virtual machine steps between two looks at the clock

// What the progress handler looks at. It lives as long as the call.
struct Watch {
  const Clock* clock;
  const ToolContext* context;
  MonotonicTime deadline;
  MonotonicTime next_beat;
  bool expired = false;
};

int on_progress(void* data) {
  auto& watch = *static_cast<Watch*>(data);
  MonotonicTime now = watch.clock->monotonic();
  if (now >= watch.next_beat && watch.context->beat) {
    watch.next_beat = now + kBeatInterval;
    watch.context->beat();
  }
  watch.expired = now >= watch.deadline;
  return watch.expired || watch.context->stop.stop_requested() ? 1 : 0;
}

// The transaction is ours, and the statement reaches no other file.
int authorize(void*, int action, const char*, const char*, const char*, const char*) {
  switch (action) {
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
    case SQLITE_PRAGMA: return SQLITE_DENY;
    default: return SQLITE_OK;
  }
}

bool is_passing(int code) {
  code &= 0xff;
  return code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_IOERR || code == SQLITE_NOMEM;
}

class SqlCall {
 public:
  SqlCall(const ToolSpec& tool, const Json& arguments, const ToolContext& context, const Clock& clock)
      : tool_(tool), arguments_(arguments), context_(context), clock_(clock) {}

  ToolEnding run() {
    auto path = fill_environment(tool_.sql.database, context_.environment);
    if (!path) return {Ending::kFailed, path.error().message()};
    sqlite3* opened = nullptr;
    int flags = (tool_.sql.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX |
                SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(path->c_str(), &opened, flags, nullptr);
    db_.reset(opened);
    if (code != SQLITE_OK) return failure(code, "cannot open the database");
    sqlite3_busy_timeout(db_.get(), 2000);
    MonotonicTime now = clock_.monotonic();
    watch_ = {&clock_, &context_, now + tool_.timeout, now + kBeatInterval};
    sqlite3_progress_handler(db_.get(), kOpsPerCheck, on_progress, &watch_);
    return tool_.sql.read_only ? read() : write();
  }

 private:
  ToolEnding failure(int code, std::string_view what) {
    std::string text = fmt::format("{}: {}", what, db_ ? sqlite3_errmsg(db_.get()) : sqlite3_errstr(code));
    if (watch_.expired) {
      text = fmt::format("the statement ran longer than {} and was stopped", format_duration(tool_.timeout));
    }
    // Interrupted in time: whoever runs the call stops. That says nothing about the statement.
    const bool stopped = (code & 0xff) == SQLITE_INTERRUPT && !watch_.expired;
    return {stopped || is_passing(code) ? Ending::kRetry : Ending::kFailed, std::move(text)};
  }

  int execute(const char* sql) { return sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr); }

  ToolEnding read() {
    sqlite3_set_authorizer(db_.get(), authorize, nullptr);
    Json rows = Json::array();
    if (auto bad = statements(rows)) return *bad;
    return {Ending::kDone, result(rows)};
  }

  ToolEnding write() {
    int code = execute(
        "PRAGMA synchronous=FULL; BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS holdfast_effects("
        "key TEXT PRIMARY KEY, tool TEXT NOT NULL, result TEXT NOT NULL, "
        "at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP) WITHOUT ROWID");
    if (code != SQLITE_OK) return failure(code, "cannot begin the transaction");
    std::optional<std::string> before;
    if (int found = recorded(before); found != SQLITE_OK)
      return failure(found, "cannot read holdfast_effects");
    if (before) return {Ending::kDone, std::move(*before)};  // closing the database rolls back
    sqlite3_set_authorizer(db_.get(), authorize, nullptr);
    const int changes_before = sqlite3_total_changes(db_.get());
    Json rows = Json::array();
    if (auto bad = statements(rows)) return *bad;
    changes_ = sqlite3_total_changes(db_.get()) - changes_before;
    sqlite3_set_authorizer(db_.get(), nullptr, nullptr);
    std::string text = result(rows);
    if (int stored = record(text); stored != SQLITE_OK) return failure(stored, "cannot record the effect");
    // After a failed commit the outcome is told by the row of holdfast_effects: the retry looks there.
    if (int committed = execute("COMMIT"); committed != SQLITE_OK) {
      ToolEnding ending = failure(committed, "cannot commit");
      ending.ending = Ending::kRetry;
      return ending;
    }
    return {Ending::kDone, std::move(text)};
  }

  int recorded(std::optional<std::string>& out) {
    Statement statement = prepare("SELECT result FROM holdfast_effects WHERE key = ?1");
    if (!statement) return sqlite3_errcode(db_.get());
    bind_text(statement.get(), 1, context_.idempotency_key);
    int code = sqlite3_step(statement.get());
    if (code == SQLITE_ROW) {
      out = reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), 0));
      return SQLITE_OK;
    }
    return code == SQLITE_DONE ? SQLITE_OK : code;
  }

  int record(const std::string& text) {
    Statement statement = prepare("INSERT INTO holdfast_effects(key, tool, result) VALUES(?1, ?2, ?3)");
    if (!statement) return sqlite3_errcode(db_.get());
    bind_text(statement.get(), 1, context_.idempotency_key);
    bind_text(statement.get(), 2, tool_.name);
    bind_text(statement.get(), 3, text);
    int code = sqlite3_step(statement.get());
    return code == SQLITE_DONE ? SQLITE_OK : code;
  }

  Statement prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(db_.get(), sql, -1, &statement, nullptr);
    return Statement(statement);
  }

  static void bind_text(sqlite3_stmt* statement, int index, const std::string& text) {
    sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }

  // Runs every statement; rows of the last one that answers with rows. None when all went well.
  std::optional<ToolEnding> statements(Json& rows) {
    const char* at = tool_.sql.statement.c_str();
    while (*at != 0) {
      sqlite3_stmt* raw = nullptr;
      int code = sqlite3_prepare_v2(db_.get(), at, -1, &raw, &at);
      Statement statement(raw);
      if (code != SQLITE_OK) return failure(code, "the statement is wrong");
      if (!statement) continue;  // white space or a comment
      if (tool_.sql.read_only && !sqlite3_stmt_readonly(raw)) {
        return ToolEnding(Ending::kFailed, "the statement writes, but the tool is `read_only: true`");
      }
      if (auto bad = bind(raw)) return bad;
      if (auto bad = step_through(raw, rows)) return bad;
    }
    return std::nullopt;
  }

  std::optional<ToolEnding> bind(sqlite3_stmt* statement) {
    for (int i = 1; i <= sqlite3_bind_parameter_count(statement); ++i) {
      const char* name = sqlite3_bind_parameter_name(statement, i);
      if (!name) continue;
      std::string argument(name + 1);
      if (argument == "idempotency_key") {
        bind_text(statement, i, context_.idempotency_key);
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

  static void bind_value(sqlite3_stmt* statement, int index, const Json& value) {
    if (value.is_null()) {
      sqlite3_bind_null(statement, index);
    } else if (value.is_boolean()) {
      sqlite3_bind_int(statement, index, value.get<bool>() ? 1 : 0);
    } else if (value.is_number_integer()) {
      sqlite3_bind_int64(statement, index, value.get<std::int64_t>());
    } else if (value.is_number()) {
      sqlite3_bind_double(statement, index, value.get<double>());
    } else {
      bind_text(statement, index, value.is_string() ? value.get<std::string>() : value.dump());
    }
  }

  std::optional<ToolEnding> step_through(sqlite3_stmt* statement, Json& rows) {
    if (sqlite3_column_count(statement) > 0) {
      rows = Json::array();
      bytes_ = 0;
      truncated_ = false;
    }
    for (;;) {
      int code = sqlite3_step(statement);
      if (code == SQLITE_DONE) return std::nullopt;
      if (code != SQLITE_ROW) return failure(code, "the statement failed");
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
  }

  static Json row_of(sqlite3_stmt* statement) {
    Json row = Json::object();
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      Json& cell = row[sqlite3_column_name(statement, i)];
      switch (sqlite3_column_type(statement, i)) {
        case SQLITE_INTEGER: cell = sqlite3_column_int64(statement, i); break;
        case SQLITE_FLOAT: cell = sqlite3_column_double(statement, i); break;
        case SQLITE_NULL: break;
        case SQLITE_BLOB: cell = fmt::format("(blob of {} bytes)", sqlite3_column_bytes(statement, i)); break;
        default: {
          const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
          cell = std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, i)));
        }
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
  Database db_;
  Watch watch_{};
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
