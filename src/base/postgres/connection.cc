#include "postgres/connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/storage_fault.h"

namespace holdfast::postgres {

namespace {

using std::chrono::milliseconds;

// The server ends a statement first, and says so.
constexpr milliseconds kBehindServer{5'000};

std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

struct Meaning {
  std::string_view state;  // SQLSTATE, or the class that it begins with
  Code code;
  StorageFault fault;
  std::string_view advice;
};
// The first that fits. https://www.postgresql.org/docs/15/errcodes-appendix.html
constexpr Meaning kMeanings[] = {
    {"08", Code::kUnavailable, StorageFault::kIo, ""},
    {"57P", Code::kUnavailable, StorageFault::kIo, ""},
    {"57014", Code::kDeadlineExceeded, StorageFault::kNone, "; the server was too slow"},
    {"55P03", Code::kUnavailable, StorageFault::kLocked, ""},
    {"40", Code::kAborted, StorageFault::kNone, ""},
    {"53100", Code::kResourceExhausted, StorageFault::kFull, "; make room on the server's disk"},
    {"53", Code::kResourceExhausted, StorageFault::kNone, ""},
    {"25006", Code::kFailedPrecondition, StorageFault::kReadOnly, "; is this a standby?"},
    {"XX001", Code::kDataLoss, StorageFault::kCorrupt, ""},
    {"XX002", Code::kDataLoss, StorageFault::kCorrupt, ""},
    {"58", Code::kUnavailable, StorageFault::kIo, ""},
    {"54", Code::kInvalidArgument, StorageFault::kNone, "; a name is too long"},
    {"28", Code::kUnauthenticated, StorageFault::kNone, ""},
    {"42501", Code::kPermissionDenied, StorageFault::kNone, "; grant it to the user that Holdfast is there"},
    {"3F000", Code::kFailedPrecondition, StorageFault::kNone, ""},
    {"42P01", Code::kFailedPrecondition, StorageFault::kNone, "; is the schema whole?"},
};

// Sent with the first message, so that a connection through which nobody answers is noticed by both sides.
constexpr const char* kSession =
    "SELECT set_config('search_path', '{0}', false), set_config('client_min_messages', 'warning', false), "
    "set_config('statement_timeout', '{1}', false), set_config('lock_timeout', '{1}', false), "
    "set_config('idle_in_transaction_session_timeout', '{2}', false), "
    "set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false), "
    "set_config('tcp_keepalives_count', '3', false); "
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') IN ('off', 'local')";

}  // namespace

void Connection::Free::operator()(pg_result* result) const {
  PQclear(result);
}

Result<std::unique_ptr<Connection>> Connection::open(const Address& address, const Limits& limits,
                                                     const Clock& clock) {
  std::map<std::string, std::string> parameters = {
      {"application_name", "holdfast"},
      {"connect_timeout", std::to_string(limits.connect.count())},
      {"keepalives_idle", "10"},
      {"keepalives_interval", "5"},
      {"keepalives_count", "3"},
      // A standby takes no writes: of several hosts the one that does.
      {"target_session_attrs", "read-write"},
      {"client_encoding", "UTF8"},
  };
  for (const auto& [name, value] : address.parameters) parameters[name] = value;
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : parameters) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);

  std::unique_ptr<Connection> out(new Connection(address, limits, clock));
  out->pg_ = PQconnectdbParams(names.data(), values.data(), 0);
  if (out->pg_ == nullptr) return fail(Code::kResourceExhausted, "out of memory");
  if (PQstatus(out->pg_) != CONNECTION_OK) return fail(out->lose(first_line(PQerrorMessage(out->pg_))));
  PQsetNoticeProcessor(out->pg_, [](void*, const char*) {}, nullptr);
  if (PQsetnonblocking(out->pg_, 1) != 0) return fail(out->lose("no memory"));
  if (Status status = out->begin_session(); !status.ok()) return fail(status);
  return out;
}

Connection::~Connection() {
  if (pg_ != nullptr) PQfinish(pg_);
}

Status Connection::begin_session() {
  return execute(fmt::format(kSession, address_.schema, limits_.statement.count(),
                             (limits_.statement + kBehindServer).count()));
}

bool Connection::lost() const {
  return lost_ || pg_ == nullptr || PQstatus(pg_) != CONNECTION_OK;
}

bool Connection::in_transaction() const {
  return pg_ != nullptr && PQtransactionStatus(pg_) != PQTRANS_IDLE;
}

int Connection::backend() const {
  return pg_ == nullptr ? 0 : PQbackendPID(pg_);
}

Status Connection::lose(std::string_view why) {
  lost_ = true;
  return with_fault(Code::kUnavailable, StorageFault::kIo,
                    fmt::format("{} cannot be reached: {}", address_.text(), why));
}

// Only the first words of the server: what it adds may hold values of rows.
Status Connection::failure(const pg_result* answer) {
  const char* state = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
  const char* words = PQresultErrorField(answer, PG_DIAG_MESSAGE_PRIMARY);
  if (state == nullptr) return lose(first_line(PQerrorMessage(pg_)));
  const std::string_view number = state;
  const std::string_view said = words == nullptr ? "no reason" : words;
  for (const Meaning& meaning : kMeanings) {
    if (!number.starts_with(meaning.state)) continue;
    if (meaning.state == "08" || meaning.state == "57P") return lose(said);
    std::string message =
        fmt::format("{}: {} (SQLSTATE {}){}", address_.text(), said, number, meaning.advice);
    if (meaning.fault == StorageFault::kNone) return {meaning.code, std::move(message)};
    return with_fault(meaning.code, meaning.fault, std::move(message));
  }
  return {Code::kInternal, fmt::format("{}: {} (SQLSTATE {})", address_.text(), said, number)};
}

Status Connection::wait(short events) {
  const auto left = std::chrono::duration_cast<milliseconds>(deadline_ - clock_.monotonic());
  if (left.count() <= 0) return lose("the server is silent");
  pollfd socket{PQsocket(pg_), events, 0};
  const int ready = ::poll(&socket, 1, static_cast<int>(left.count()) + 1);
  if (ready == 0) return lose("the server is silent");
  if (ready < 0 && errno != EINTR) return lose("poll failed");
  return {};
}

Status Connection::flush() {
  deadline_ = clock_.monotonic() + limits_.statement + kBehindServer;
  while (true) {
    const int left = PQflush(pg_);
    if (left == 0) return {};
    if (left < 0) return lose(first_line(PQerrorMessage(pg_)));
    if (Status status = wait(POLLIN | POLLOUT); !status.ok()) return status;
    // A server that has something to say may not listen before it has said it.
    if (PQconsumeInput(pg_) == 0) return lose(first_line(PQerrorMessage(pg_)));
  }
}

Result<Connection::Answer> Connection::next_answer() {
  while (PQisBusy(pg_) != 0) {
    if (Status status = wait(POLLIN); !status.ok()) return fail(status);
    if (PQconsumeInput(pg_) == 0) return fail(lose(first_line(PQerrorMessage(pg_))));
  }
  return Answer(PQgetResult(pg_));
}

Status Connection::finish() {
  Status first;
  while (!lost_) {
    Result<Answer> answer = next_answer();
    if (!answer) return first.ok() ? answer.error() : first;
    if (*answer == nullptr) return first;
    switch (PQresultStatus(answer->get())) {
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK: affected_ = std::strtoll(PQcmdTuples(answer->get()), nullptr, 10); break;
      case PGRES_SINGLE_TUPLE:
      case PGRES_COPY_IN: break;
      default:
        if (first.ok()) first = failure(answer->get());
    }
    if (PQresultStatus(answer->get()) == PGRES_COPY_IN) return first;
  }
  return first;
}

Status Connection::execute(const std::string& sql) {
  if (lost()) return lose("the connection is lost");
  affected_ = 0;
  if (PQsendQuery(pg_, sql.c_str()) == 0) return lose(first_line(PQerrorMessage(pg_)));
  if (Status status = flush(); !status.ok()) return status;
  return finish();
}

Result<std::string> Connection::prepared(Literal sql) {
  const auto found = statements_.find(sql.text());
  if (found != statements_.end()) return found->second;
  std::string name = fmt::format("s{}", statements_.size());
  if (PQsendPrepare(pg_, name.c_str(), sql.text(), 0, nullptr) == 0)
    return fail(lose(first_line(PQerrorMessage(pg_))));
  if (Status status = flush(); !status.ok()) return fail(status);
  if (Status status = finish(); !status.ok()) return fail(status);
  statements_.emplace(sql.text(), name);
  return name;
}

}  // namespace holdfast::postgres
