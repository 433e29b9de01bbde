#include "postgres/query.h"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

namespace holdfast::postgres {

namespace {

using std::chrono::milliseconds;
using Kind = ClientError::Kind;

// What is cancelled answers at once, or is not waited for.
constexpr milliseconds kAfterCancel{2'000};
// A server that does not answer a connection, or a request to cancel.
constexpr const char* kTcpTimeoutMs = "5000";

std::string first_line(const char* text) {
  const std::string_view all = text == nullptr ? "" : text;
  return std::string(all.substr(0, all.find('\n')));
}

// https://www.postgresql.org/docs/15/errcodes-appendix.html
bool may_pass(std::string_view state) {
  for (std::string_view one : {"08", "40", "53", "55P03", "57P", "58"}) {
    if (state.starts_with(one)) return true;
  }
  return false;
}

void describe(const PGresult* answer, ClientRow& row) {
  const int columns = PQnfields(answer);
  for (int i = 0; i < columns; ++i) {
    row.names.emplace_back(PQfname(answer, i));
    row.types.push_back(PQftype(answer, i));
  }
}

}  // namespace

void Client::Free::operator()(pg_result* result) const {
  PQclear(result);
}

std::unique_ptr<Client> Client::open(ClientOptions options, const Clock& clock, ClientError& error) {
  std::unique_ptr<Client> out(new Client(std::move(options), clock));
  out->deadline_ = clock.monotonic() + out->options_.timeout;
  out->next_beat_ = clock.monotonic() + out->options_.beat_every;
  if (auto bad = out->connect()) {
    error = *std::move(bad);
    return nullptr;
  }
  return out;
}

Client::~Client() {
  if (pg_ != nullptr) PQfinish(pg_);
}

bool Client::in_transaction() const {
  return pg_ != nullptr && PQtransactionStatus(pg_) != PQTRANS_IDLE;
}

std::optional<ClientError> Client::connect() {
  std::map<std::string, std::string> parameters = {
      {"application_name", "holdfast-tool"},
      {"client_encoding", "UTF8"},
      {"tcp_user_timeout", kTcpTimeoutMs},
      // No file and no variable of the environment gives a password: libpq takes an empty one for none said.
      {"passfile", "/dev/null"},
      {"password", "none"},
  };
  for (const auto& [name, value] : options_.parameters) parameters[name] = value;
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : parameters) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  pg_ = PQconnectStartParams(names.data(), values.data(), 0);
  if (pg_ == nullptr) return ClientError{Kind::kPassing, "out of memory"};
  PQsetNoticeProcessor(pg_, [](void*, const char*) {}, nullptr);
  for (PostgresPollingStatusType step = PGRES_POLLING_WRITING; step != PGRES_POLLING_OK;) {
    if (step == PGRES_POLLING_FAILED || PQstatus(pg_) == CONNECTION_BAD) return lost();
    if (auto bad = wait(step == PGRES_POLLING_READING ? POLLIN : POLLOUT)) return bad;
    step = PQconnectPoll(pg_);
  }
  if (PQsetnonblocking(pg_, 1) != 0) return lost();
  return std::nullopt;
}

ClientError Client::lost() const {
  return {Kind::kLost, first_line(pg_ == nullptr ? "" : PQerrorMessage(pg_))};
}

ClientError Client::failure(const pg_result* answer) const {
  const char* state = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
  const char* words = PQresultErrorField(answer, PG_DIAG_MESSAGE_PRIMARY);
  if (state == nullptr) return lost();
  // The server's own limit of a statement, which is ours.
  if (std::string_view(state) == "57014") return {Kind::kExpired, first_line(words)};
  return {may_pass(state) ? Kind::kPassing : Kind::kRefused,
          fmt::format("{} (SQLSTATE {})", first_line(words), state)};
}

ClientError Client::give_up(Kind kind, std::string message) {
  PGcancel* cancel = pg_ == nullptr ? nullptr : PQgetCancel(pg_);
  if (cancel != nullptr) {
    char why[256];
    (void)PQcancel(cancel, why, sizeof(why));
    PQfreeCancel(cancel);
    const MonotonicTime until = clock_.monotonic() + kAfterCancel;
    while (PQstatus(pg_) == CONNECTION_OK && PQisBusy(pg_) != 0) {
      const auto left = std::chrono::duration_cast<milliseconds>(until - clock_.monotonic());
      if (left.count() <= 0) break;
      pollfd socket{PQsocket(pg_), POLLIN, 0};
      if (::poll(&socket, 1, static_cast<int>(left.count())) <= 0 || PQconsumeInput(pg_) == 0) break;
    }
  }
  PQfinish(std::exchange(pg_, nullptr));
  return {kind, std::move(message)};
}

std::optional<ClientError> Client::wait(short events) {
  while (true) {
    const MonotonicTime now = clock_.monotonic();
    if (now >= deadline_) return give_up(Kind::kExpired, "out of time");
    if (options_.beat && now >= next_beat_) {
      next_beat_ = now + options_.beat_every;
      if (options_.beat()) return give_up(Kind::kStopped, "stopped");
    }
    const auto until = options_.beat ? std::min(deadline_, next_beat_) : deadline_;
    pollfd socket{PQsocket(pg_), events, 0};
    const auto left = std::chrono::ceil<milliseconds>(until - now);
    const int ready = ::poll(&socket, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 1)));
    if (ready > 0) return std::nullopt;
    if (ready < 0 && errno != EINTR) return lost();
  }
}

std::optional<ClientError> Client::flush() {
  while (true) {
    const int left = PQflush(pg_);
    if (left == 0) return std::nullopt;
    if (left < 0) return lost();
    if (auto bad = wait(POLLIN | POLLOUT)) return bad;
    if (PQconsumeInput(pg_) == 0) return lost();
  }
}

ClientError Client::too_large() {
  return give_up(Kind::kTooLarge, fmt::format("a row is larger than {} MiB", options_.max_row_bytes >> 20));
}

std::optional<ClientError> Client::next(Answer& answer) {
  while (PQisBusy(pg_) != 0) {
    if (auto bad = wait(POLLIN)) return bad;
    // libpq holds a row until it is whole, however large it is.
    int waiting = 0;
    if (::ioctl(PQsocket(pg_), FIONREAD, &waiting) == 0)
      row_bytes_ += static_cast<std::size_t>(std::max(waiting, 0));
    if (row_bytes_ > options_.max_row_bytes) return too_large();
    if (PQconsumeInput(pg_) == 0) return lost();
  }
  row_bytes_ = 0;
  answer.reset(PQgetResult(pg_));
  return std::nullopt;
}

void Client::note_command(pg_result* answer) {
  command_ = PQcmdStatus(answer);
  command_.resize(std::min(command_.find(' '), command_.size()));
  affected_ = std::strtoll(PQcmdTuples(answer), nullptr, 10);
}

std::optional<ClientError> Client::take(const pg_result* answer,
                                        const std::function<bool(const ClientRow&)>& on_row,
                                        const std::function<void(const ClientRow&)>& on_columns,
                                        bool& wanted) {
  switch (PQresultStatus(answer)) {
    case PGRES_COMMAND_OK: note_command(const_cast<PGresult*>(answer)); return {};
    case PGRES_TUPLES_OK: {
      note_command(const_cast<PGresult*>(answer));
      ClientRow row;
      describe(answer, row);
      if (on_columns) on_columns(row);
      return {};
    }
    case PGRES_SINGLE_TUPLE: {
      if (!on_row || !wanted) return {};
      // It may have come faster than next() counted.
      std::size_t bytes = 0;
      for (int i = 0; i < PQnfields(answer); ++i)
        bytes += static_cast<std::size_t>(PQgetlength(answer, 0, i));
      if (bytes > options_.max_row_bytes) return too_large();
      ClientRow row;
      describe(answer, row);
      for (int i = 0; i < PQnfields(answer); ++i) {
        if (PQgetisnull(answer, 0, i) != 0) {
          row.values.emplace_back(std::nullopt);
        } else {
          row.values.emplace_back(std::string_view(PQgetvalue(answer, 0, i),
                                                   static_cast<std::size_t>(PQgetlength(answer, 0, i))));
        }
      }
      wanted = on_row(row);
      return {};
    }
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH: return give_up(Kind::kRefused, "COPY is no statement for a tool");
    default: return failure(answer);
  }
}

std::optional<ClientError> Client::run(const std::string& sql, const std::vector<Text>& parameters,
                                       const std::function<bool(const ClientRow&)>& on_row,
                                       const std::function<void(const ClientRow&)>& on_columns) {
  if (pg_ == nullptr || PQstatus(pg_) != CONNECTION_OK) return lost();
  affected_ = 0;
  command_.clear();
  row_bytes_ = 0;
  std::vector<const char*> values;
  for (const Text& one : parameters) values.push_back(one ? one->c_str() : nullptr);
  // The extended protocol: one statement, whatever its text holds.
  if (PQsendQueryParams(pg_, sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr,
                        nullptr, 0) == 0 ||
      PQsetSingleRowMode(pg_) == 0)
    return lost();
  if (auto bad = flush()) return bad;
  std::optional<ClientError> first;
  bool wanted = true;
  while (true) {
    Answer answer;
    if (auto bad = next(answer)) return bad;
    if (answer == nullptr) return first;
    auto bad = take(answer.get(), on_row, on_columns, wanted);
    if (pg_ == nullptr) return bad;
    if (bad && !first) first = std::move(bad);
    if (!wanted) {
      (void)give_up(Kind::kStopped, "enough");
      return first;
    }
  }
}

}  // namespace holdfast::postgres
