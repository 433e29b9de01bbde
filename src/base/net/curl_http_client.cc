// HttpClient on libcurl's multi interface: one thread polls every transfer, woken when one is added or
// cancelled.

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "base/ascii.h"
#include "base/check.h"
#include "net/http_client.h"

namespace holdfast::net {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kMaxHeaderBytes = 256 << 10;
constexpr long kMaxRedirects = 5;

void init_curl_once() {
  static const bool done = [] {
    HF_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    return true;
  }();
  (void)done;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() &&
         (text.back() == ' ' || text.back() == '\t' || text.back() == '\r' || text.back() == '\n'))
    text.remove_suffix(1);
  return text;
}

// "host:port" for messages; the rest of a URL may hold secrets.
std::string place_of(const std::string& url) {
  CURLU* parsed = curl_url();
  std::string out;
  char* host = nullptr;
  char* port = nullptr;
  if (curl_url_set(parsed, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK &&
      curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
    out = host;
    if (curl_url_get(parsed, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK)
      out += std::string(":") + port;
  }
  curl_free(host);
  curl_free(port);
  curl_url_cleanup(parsed);
  return out;
}

bool is_loopback(std::string_view place) {
  return place.starts_with("localhost:") || place.starts_with("127.") || place.starts_with("[::1]:");
}

struct Transfer {
  std::uint64_t id = 0;
  HttpRequest request;
  HttpHandler handler;
  std::string place;
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  Steady::time_point started;
  Steady::time_point last_activity;
  HttpHead head;
  bool head_delivered = false;
  std::size_t header_bytes = 0;
  std::size_t body_bytes = 0;
  curl_off_t uploaded = 0;
  std::optional<HttpFailure> failure;  // why a callback stopped the transfer
  std::atomic<bool> cancelled = false;
  std::optional<std::stop_callback<std::move_only_function<void()>>> stop;

  ~Transfer() {
    stop.reset();
    if (easy != nullptr) curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
  }

  void deliver_head() {
    if (head_delivered) return;
    head_delivered = true;
    if (handler.head) handler.head(head);
  }

  std::size_t on_header(std::string_view line) {
    last_activity = Steady::now();
    header_bytes += line.size();
    if (header_bytes > kMaxHeaderBytes) {
      failure = HttpFailure::kTooLarge;
      return 0;
    }
    // A redirect or an interim answer starts over with a status line of its own.
    if (line.starts_with("HTTP/")) {
      head = {};
      const std::size_t space = line.find(' ');
      if (space != std::string_view::npos)
        head.status = std::atoi(std::string(line.substr(space + 1, 3)).c_str());
    } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
      head.headers.emplace_back(ascii_lower(trim(line.substr(0, colon))),
                                std::string(trim(line.substr(colon + 1))));
    }
    return line.size();
  }

  std::size_t on_body(std::string_view bytes) {
    last_activity = Steady::now();
    deliver_head();  // the status counts even if the body is too large
    body_bytes += bytes.size();
    if (body_bytes > request.max_response_bytes) {
      failure = HttpFailure::kTooLarge;
      return 0;
    }
    if (handler.body) handler.body(bytes);
    return bytes.size();
  }

  // Sending a large body is activity, too.
  void on_progress(curl_off_t sent) {
    if (sent == uploaded) return;
    uploaded = sent;
    last_activity = Steady::now();
  }
};

std::size_t header_callback(char* data, std::size_t size, std::size_t count, void* user) {
  return static_cast<Transfer*>(user)->on_header({data, size * count});
}
std::size_t body_callback(char* data, std::size_t size, std::size_t count, void* user) {
  return static_cast<Transfer*>(user)->on_body({data, size * count});
}
int progress_callback(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t sent) {
  static_cast<Transfer*>(user)->on_progress(sent);
  return 0;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 && c != '\t'; });
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return c > 0x20 && c < 0x7f && c != ':'; });
}

// What is wrong with the request; empty when it can be sent.
std::string defect(const Transfer& transfer) {
  if (transfer.place.empty()) return "the URL cannot be read: it must look like https://host/path";
  if (!is_token(transfer.request.method)) return "the method is not a word";
  for (const auto& [name, value] : transfer.request.headers) {
    if (!is_token(name) || has_control(value))
      return "header " + name.substr(0, 40) + " has a character that no header may have";
  }
  return {};
}

void set_headers(Transfer& transfer) {
  bool has_type = false;
  for (const auto& [name, value] : transfer.request.headers) {
    has_type = has_type || ascii_lower(name) == "content-type";
    // "Name;" is libcurl's way to send an empty header.
    const std::string line = value.empty() ? name + ";" : name + ": " + value;
    transfer.headers = curl_slist_append(transfer.headers, line.c_str());
  }
  transfer.headers = curl_slist_append(transfer.headers, "Expect:");
  if (!has_type) transfer.headers = curl_slist_append(transfer.headers, "Content-Type:");
  curl_easy_setopt(transfer.easy, CURLOPT_HTTPHEADER, transfer.headers);
}

void set_options(Transfer& transfer) {
  CURL* easy = transfer.easy;
  const HttpRequest& request = transfer.request;
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "holdfast");
  // Nothing packed is asked for, but what comes packed all the same is unpacked; the bound counts the result.
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "identity");
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_callback);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_callback);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, progress_callback);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.total_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, request.follow_redirects ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, kMaxRedirects);
  // A proxy of the environment is not meant for what runs on this machine.
  if (is_loopback(transfer.place)) curl_easy_setopt(easy, CURLOPT_PROXY, "");
  if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (!request.body.empty() || (request.method != "GET" && request.method != "DELETE")) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
  }
  if (request.method != "HEAD") curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  set_headers(transfer);
}

HttpError error_of(const Transfer& transfer, CURLcode code) {
  HttpError error;
  error.response_started = transfer.head.status != 0;
  // A transfer that has connected can only run out of its total time; before that, libcurl's clock may be a
  // little ahead of ours.
  curl_off_t connected_us = 0;
  if (transfer.easy != nullptr) curl_easy_getinfo(transfer.easy, CURLINFO_CONNECT_TIME_T, &connected_us);
  const bool out_of_time =
      connected_us > 0 ||
      Steady::now() - transfer.started + std::chrono::milliseconds(5) >= transfer.request.total_timeout;
  if (transfer.failure) {
    error.failure = *transfer.failure;
  } else if (code == CURLE_OPERATION_TIMEDOUT && transfer.request.total_timeout.count() > 0 && out_of_time) {
    error.failure = HttpFailure::kTotalTimeout;
  } else if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
    error.failure = HttpFailure::kBadRequest;
  } else {
    error.failure = HttpFailure::kConnection;
  }
  const std::string& at = transfer.place;
  switch (error.failure) {
    case HttpFailure::kIdleTimeout:
      error.message =
          at + " sent nothing for " + std::to_string(transfer.request.idle_timeout.count()) + " ms";
      break;
    case HttpFailure::kTotalTimeout:
      error.message =
          at + " did not finish within " + std::to_string(transfer.request.total_timeout.count()) + " ms";
      break;
    case HttpFailure::kTooLarge:
      error.message =
          at + " sent more than " + std::to_string(transfer.request.max_response_bytes) + " bytes";
      break;
    case HttpFailure::kCancelled: error.message = "the request to " + at + " was cancelled"; break;
    case HttpFailure::kConnection:
    case HttpFailure::kBadRequest: error.message = at + ": " + curl_easy_strerror(code); break;
  }
  return error;
}

class CurlHttpClient : public HttpClient {
 public:
  explicit CurlHttpClient(Executor& loop) {
    init_curl_once();
    multi_ = curl_multi_init();
    HF_CHECK(multi_ != nullptr);
    loop.post([this] { run(); });
  }

  ~CurlHttpClient() override {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    curl_multi_wakeup(multi_);
    ended_.wait(lock, [this] { return loop_ended_; });
    lock.unlock();
    curl_multi_cleanup(multi_);
  }

  void start(HttpRequest request, HttpHandler handler, std::stop_token stop) override {
    auto transfer = std::make_unique<Transfer>();
    transfer->request = std::move(request);
    transfer->handler = std::move(handler);
    std::uint64_t id = 0;
    {
      std::lock_guard lock(mutex_);
      id = transfer->id = next_id_++;
    }
    if (stop.stop_possible()) {
      // The flag is for a request that comes before the loop knows the transfer, the id for one that comes
      // later.
      transfer->stop.emplace(std::move(stop), [this, id, flag = &transfer->cancelled] {
        *flag = true;
        cancel(id);
      });
    }
    std::lock_guard lock(mutex_);
    HF_CHECK(!stopping_);
    arrived_.push_back(std::move(transfer));
    curl_multi_wakeup(multi_);
  }

 private:
  void cancel(std::uint64_t id) {
    std::lock_guard lock(mutex_);
    cancelled_.push_back(id);
    curl_multi_wakeup(multi_);
  }

  void run() {
    while (take_in()) {
      int running = 0;
      curl_multi_perform(multi_, &running);
      reap();
      const int wait_ms = expire();
      curl_multi_poll(multi_, nullptr, 0, wait_ms, nullptr);
    }
    while (!transfers_.empty()) {
      Transfer& transfer = *transfers_.begin()->second;
      transfer.failure = HttpFailure::kCancelled;
      finish(transfer, CURLE_ABORTED_BY_CALLBACK);
    }
    std::lock_guard lock(mutex_);
    loop_ended_ = true;
    ended_.notify_all();
  }

  // Adds what arrived, ends what was cancelled. False at the end of the client.
  bool take_in() {
    std::vector<std::unique_ptr<Transfer>> arrived;
    std::vector<std::uint64_t> cancelled;
    bool stopping = false;
    {
      std::lock_guard lock(mutex_);
      arrived.swap(arrived_);
      cancelled.swap(cancelled_);
      stopping = stopping_;
    }
    for (auto& transfer : arrived) begin(std::move(transfer));
    for (std::uint64_t id : cancelled) {
      auto found = transfers_.find(id);
      if (found == transfers_.end()) continue;
      found->second->failure = HttpFailure::kCancelled;
      finish(*found->second, CURLE_ABORTED_BY_CALLBACK);
    }
    return !stopping;
  }

  void begin(std::unique_ptr<Transfer> owned) {
    Transfer& transfer = *owned;
    transfers_.emplace(transfer.id, std::move(owned));
    transfer.place = place_of(transfer.request.url);
    transfer.started = transfer.last_activity = Steady::now();
    if (std::string why = defect(transfer); !why.empty()) {
      HttpError error;
      error.failure = HttpFailure::kBadRequest;
      error.message = std::move(why);
      end(transfer, std::unexpected(std::move(error)));
      return;
    }
    if (transfers_.size() > kMaxTransfers) {
      HttpError error;
      error.message = "more than " + std::to_string(kMaxTransfers) + " requests are under way";
      end(transfer, std::unexpected(std::move(error)));
      return;
    }
    if (transfer.cancelled) {
      transfer.failure = HttpFailure::kCancelled;
      finish(transfer, CURLE_ABORTED_BY_CALLBACK);
      return;
    }
    transfer.easy = curl_easy_init();
    HF_CHECK(transfer.easy != nullptr);
    set_options(transfer);
    HF_CHECK(curl_multi_add_handle(multi_, transfer.easy) == CURLM_OK);
  }

  void reap() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      Transfer* transfer = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
      finish(*transfer, code);
    }
  }

  // Ends transfers that have been silent too long; returns how long to wait for anything.
  int expire() {
    constexpr std::chrono::milliseconds kLongest{60'000};
    auto wait = kLongest;
    const auto now = Steady::now();
    std::vector<Transfer*> silent;
    for (auto& [id, transfer] : transfers_) {
      if (transfer->request.idle_timeout.count() == 0) continue;
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(transfer->last_activity +
                                                                     transfer->request.idle_timeout - now);
      if (left.count() <= 0) {
        silent.push_back(transfer.get());
      } else {
        wait = std::min(wait, left);
      }
    }
    for (Transfer* transfer : silent) {
      transfer->failure = HttpFailure::kIdleTimeout;
      finish(*transfer, CURLE_OPERATION_TIMEDOUT);
    }
    return static_cast<int>(wait.count());
  }

  void finish(Transfer& transfer, CURLcode code) {
    if (transfer.easy != nullptr) curl_multi_remove_handle(multi_, transfer.easy);
    if (code == CURLE_OK) {
      transfer.deliver_head();
      end(transfer, {});
    } else {
      end(transfer, std::unexpected(error_of(transfer, code)));
    }
  }

  void end(Transfer& transfer, std::expected<void, HttpError> outcome) {
    auto found = transfers_.find(transfer.id);
    std::unique_ptr<Transfer> owned = std::move(found->second);
    transfers_.erase(found);
    // Let go of the connection first: `done` may start the next request.
    owned->stop.reset();
    if (owned->handler.done) owned->handler.done(std::move(outcome));
  }

  CURLM* multi_ = nullptr;
  std::map<std::uint64_t, std::unique_ptr<Transfer>> transfers_;  // the loop thread's alone

  std::mutex mutex_;
  std::condition_variable ended_;
  std::vector<std::unique_ptr<Transfer>> arrived_;  // guarded by mutex_
  std::vector<std::uint64_t> cancelled_;            // guarded by mutex_
  std::uint64_t next_id_ = 1;                       // guarded by mutex_
  bool stopping_ = false;                           // guarded by mutex_
  bool loop_ended_ = false;                         // guarded by mutex_
};

}  // namespace

std::string_view HttpHead::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

std::unique_ptr<HttpClient> curl_http_client(Executor& loop) {
  return std::make_unique<CurlHttpClient>(loop);
}

}  // namespace holdfast::net
