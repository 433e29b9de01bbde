// HttpClient on libcurl's multi interface: one thread polls every transfer, woken when one is added or
// cancelled.

#include <curl/curl.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>

#include "base/check.h"
#include "net/client_tls.h"
#include "net/curl_transfer.h"
#include "net/http_client.h"

namespace holdfast::net {

namespace {

using Steady = std::chrono::steady_clock;

void init_curl_once() {
  static const bool done = [] {
    HF_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    return true;
  }();
  (void)done;
}

class CurlHttpClient : public HttpClient {
 public:
  CurlHttpClient(Executor& loop, Egress egress, ClientTls tls, std::string unix_socket)
      : egress_(egress), tls_(std::move(tls)), unix_socket_(std::move(unix_socket)) {
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
    auto transfer = std::make_unique<Transfer>(std::move(request), std::move(handler), egress_);
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
      resume();
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
    transfer.started = transfer.last_activity = Steady::now();
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
    go(transfer);
  }

  // To where its URL leads now.
  void go(Transfer& transfer) {
    if (auto wrong = transfer.prepare()) {
      end(transfer, std::unexpected(std::move(*wrong)));
      return;
    }
    if (!tls_.ca_file.empty()) {
      curl_easy_setopt(transfer.easy, CURLOPT_CAINFO, tls_.ca_file.c_str());
      curl_easy_setopt(transfer.easy, CURLOPT_CAPATH, nullptr);
    }
    if (!unix_socket_.empty())
      curl_easy_setopt(transfer.easy, CURLOPT_UNIX_SOCKET_PATH, unix_socket_.c_str());
    HF_CHECK(curl_multi_add_handle(multi_, transfer.easy) == CURLM_OK);
  }

  // Whose turn has come.
  void resume() {
    for (auto& [id, transfer] : transfers_) {
      if (!transfer->waits_for_turn || !transfer->request.turn->take()) continue;
      transfer->waits_for_turn = false;
      curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
    }
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
    constexpr std::chrono::milliseconds kLookForTurn{20};
    auto wait = kLongest;
    const auto now = Steady::now();
    std::vector<Transfer*> silent;
    for (auto& [id, transfer] : transfers_) {
      if (transfer->waits_for_turn) {
        transfer->last_activity = now;
        wait = std::min(wait, kLookForTurn);
      }
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
    if (code != CURLE_OK) {
      end(transfer, std::unexpected(transfer.error(code)));
    } else if (!transfer.is_redirected()) {
      transfer.deliver_head();
      auto cut = transfer.cut();
      end(transfer, cut ? std::expected<void, HttpError>(std::unexpected(*std::move(cut)))
                        : std::expected<void, HttpError>());
    } else if (auto wrong = transfer.turn()) {
      end(transfer, std::unexpected(std::move(*wrong)));
    } else {
      go(transfer);
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

  const Egress egress_;
  const ClientTls tls_;
  const std::string unix_socket_;
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

std::unique_ptr<HttpClient> curl_http_client(Executor& loop, Egress egress) {
  return curl_http_client(loop, egress, ClientTls());
}

std::unique_ptr<HttpClient> curl_http_client(Executor& loop, Egress egress, ClientTls tls,
                                             std::string unix_socket) {
  return std::make_unique<CurlHttpClient>(loop, egress, std::move(tls), std::move(unix_socket));
}

}  // namespace holdfast::net
