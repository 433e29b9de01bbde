#include "refund/demo.h"

#include <filesystem>
#include <fstream>

#include <stdlib.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/ids.h"
#include "base/iso_time.h"
#include "refund/agent_files.h"
#include "refund/receiver.h"
#include "refund/report.h"
#include "refund/server_process.h"
#include "refund/shop.h"
#include "scripted/server.h"

namespace holdfast::demo {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kReadyWithin{20};
constexpr seconds kRunWithin{90};  // a Temporal server notices a dead worker by its heartbeats only

// "127.0.0.1:8900" of "http://127.0.0.1:8900/v1".
std::string authority_of(const std::string& url) {
  const std::size_t begin = url.find("://") + 3;
  return url.substr(begin, url.find('/', begin) - begin);
}

Status status_of(const rest::ApiError& error) {
  const Code code = error.status == 0     ? Code::kUnavailable
                    : error.status == 404 ? Code::kNotFound
                                          : Code::kFailedPrecondition;
  return Status(code, error.message);
}

class Demo {
 public:
  Demo(const DemoOptions& options, const DemoEnvironment& environment, KillPoint kill_point)
      : options_(options), env_(environment), kill_point_(kill_point) {}

  int run() {
    const MonotonicTime begun = now();
    Status done = prepare();
    if (done.ok()) done = server_->start(kReadyWithin);
    if (done.ok()) done = start_run();
    if (done.ok()) done = follow();
    if (!done.ok()) facts_.failure = done.message();
    collect();
    if (server_) server_->stop();
    facts_.seconds = std::chrono::duration<double>(now() - begun).count();
    return report();
  }

 private:
  MonotonicTime now() const { return env_.clock->monotonic(); }
  void say(const std::string& line) const {
    if (!options_.json) {
      fmt::print("  {}\n", line);
      std::fflush(stdout);
    }
  }

  Status prepare() {
    std::string pattern = (std::filesystem::temp_directory_path() / "holdfast-demo-XXXXXX").string();
    if (!mkdtemp(pattern.data())) return Status(Code::kInternal, "cannot make a temporary directory");
    directory_ = pattern;
    facts_.directory = directory_.string();
    if (Status made = make_shop(shop()); !made.ok()) return made;
    auto before = read_shop(shop());
    if (!before) return before.error();
    facts_.before = *before;
    auto receiver = Receiver::start();
    if (!receiver) return receiver.error();
    receiver_ = std::move(*receiver);
    model::ScriptedOptions scripted;
    scripted.script = refund_script();
    scripted.name = "demo script";
    auto model = model::start_scripted_server(scripted);
    if (!model) return model.error();
    model_ = std::move(*model);
    http_loop_ = env_.new_executor("demo-http");
    http_ = net::curl_http_client(*http_loop_, net::Egress::kAnywhere);
    api_ = std::make_unique<rest::ApiClient>(*http_, "");
    prepare_server();
    std::string rows = fmt::format("{} orders, {} customers, {} refunds", before->orders, before->customers,
                                   before->refunds);
    say("");
    say(fmt::format("shop       {:<42} {}", rows, shop().string()));
    say(fmt::format("model      {:<42} {}", "scripted: no key, no network", model_->base_url()));
    say(fmt::format("receiver   {:<42} {}/hooks/...", "Slack's incoming-webhook format", receiver_->url()));
    return {};
  }

  void prepare_server() {
    std::vector<std::string> arguments = {"server", "--data",      (directory_ / "data").string(),
                                          "--http", "127.0.0.1:0", "--json"};
    facts_.engine = options_.engine.value_or("embedded");
    arguments.push_back(options_.engine ? "--engine" : "--grpc");
    arguments.push_back(options_.engine.value_or("127.0.0.1:0"));
    // What its agent, which comes over the API, may use.
    for (const std::string& grant :
         {"host:" + authority_of(model_->base_url()), "host:" + authority_of(receiver_->url()),
          "database.write:" + shop().string()}) {
      arguments.insert(arguments.end(), {"--grant", grant});
    }
    server_ = std::make_unique<ServerProcess>(*env_.clock, options_.executable, std::move(arguments),
                                              directory_ / "server.log");
    if (kill_point_.kind == KillPoint::Kind::kReceiver) {
      receiver_->on_answered([this](int number) {
        if (number == kill_point_.number) server_->kill_now();
      });
    }
  }

  std::filesystem::path shop() const { return directory_ / "shop.db"; }
  std::string run_path() const { return "/api/v1/runs/" + facts_.run; }

  Status start_run() {
    api_->set_address(server_->http_address());
    facts_.kill_point = kill_point_.describe();
    facts_.run = "refund-" + new_uuid(*env_.random).substr(0, 8);
    AgentPlaces places;
    places.model_url = model_->base_url();
    places.receiver_url = receiver_->url();
    places.database = shop().string();
    std::string yaml = refund_agent(places);
    std::ofstream(directory_ / "agent.yaml") << yaml;
    Json request = {{"agent", yaml}, {"input", refund_input()}, {"id", facts_.run}};
    auto started = api_->post("/api/v1/runs", request);
    if (!started) return status_of(started.error());
    std::string server = fmt::format("pid {}, engine {}", server_->pid(), facts_.engine);
    say(fmt::format("server     {:<42} {}", server, api_->base_url()));
    say(fmt::format("run        {:<42} SIGKILL {}", facts_.run, facts_.kill_point));
    follower_ = std::make_unique<rest::EventStream>(*api_, *env_.clock, run_path() + "/events");
    follower_->connect();
    return {};
  }

  // Events until the run ends; the kill comes when its moment does, the approval when it is asked for.
  Status follow() {
    const MonotonicTime until = now() + kRunWithin;
    while (now() < until) {
      auto arrived = follower_->next(milliseconds(200));
      if (!arrived) {
        if (follower_->connected()) continue;
        if (Status back = connection_lost(); !back.ok()) return back;
        continue;
      }
      auto event = run_event(*std::move(arrived));
      if (!event) continue;
      facts_.events.push_back(*event);
      // What began before the kill and is only seen now is not new.
      const bool is_new = killed_ && event->at > facts_.killed_time;
      if (is_new && !facts_.next_step_at && event->type == "step.started") facts_.next_step_at = event->seen;
      if (event->type == "approval.requested") {
        approval_ = event->data.value("approval", "");
        seen_arguments_ = event->data.value("arguments_sha256", "");
      }
      if (!killed_ && is_moment(*event)) {
        facts_.waited_for_person = event->type == "approval.requested";
        server_->kill_now();
        if (Status back = restart(); !back.ok()) return back;
      }
      if (may_approve()) {
        if (Status approved = approve(); !approved.ok()) return approved;
      }
      if (is_end(event->type)) return {};
    }
    return Status(Code::kDeadlineExceeded,
                  fmt::format("the run did not end within {} s", kRunWithin.count()));
  }

  static bool is_end(const std::string& type) {
    return type == "run.completed" || type == "run.failed" || type == "run.canceled" || type == "run.closed";
  }

  bool is_moment(const RunEvent& event) const {
    if (!event.type.starts_with("step.") && event.type != "approval.requested") return false;
    const int step = event.data.value("step", 0);
    switch (kill_point_.kind) {
      case KillPoint::Kind::kStep: return event.type == "step.started" && step == kill_point_.number;
      case KillPoint::Kind::kApproval: return event.type == "approval.requested";
      case KillPoint::Kind::kRefund: return event.type == "step.started" && step == kSteps;
      case KillPoint::Kind::kAnswer: return event.type == "step.started" && step == kSteps + 1;
      case KillPoint::Kind::kReceiver: return false;  // the receiver does it
    }
    return false;
  }

  bool may_approve() const {
    if (approval_.empty() || approved_) return false;
    return killed_ || kill_point_.kind == KillPoint::Kind::kRefund ||
           kill_point_.kind == KillPoint::Kind::kAnswer;
  }

  // The receiver killed the server, or the server died of something else.
  Status connection_lost() {
    if (killed_ || kill_point_.kind != KillPoint::Kind::kReceiver) {
      follower_->connect();  // a stream may end for reasons of its own
      return api_->get("/healthz") ? Status() : Status(Code::kUnavailable, "the server is gone; see its log");
    }
    return restart();
  }

  Status restart() {
    killed_ = true;
    facts_.killed_pid = server_->pid();
    facts_.killed_at = now();
    facts_.killed_time = iso_time(env_.clock->now());
    facts_.killed_by_signal = server_->reap();
    facts_.seq_at_kill = facts_.events.empty() ? 0 : facts_.events.back().seq;
    say(fmt::format("*          SIGKILL to pid {} ({})", facts_.killed_pid, facts_.kill_point));
    if (Status ready = server_->start(kReadyWithin); !ready.ok()) return ready;
    facts_.ready_at = now();
    facts_.new_pid = server_->pid();
    api_->set_address(server_->http_address());
    say(fmt::format("*          server is back as pid {} on the same data", facts_.new_pid));
    follower_->connect();
    return {};
  }

  Status approve() {
    approved_ = true;
    say(fmt::format("approval   {} approved over the HTTP API", approval_));
    Json decision = {{"decision", "approve"},
                     {"arguments_sha256", seen_arguments_},
                     {"decided_by", "demo"},
                     {"comment", "checked by a person"}};
    auto answer = api_->post("/api/v1/approvals/" + approval_ + "/decision", decision, "demo-" + approval_);
    return answer ? Status() : status_of(answer.error());
  }

  void collect() {
    if (receiver_) {
      facts_.messages = receiver_->messages();
      facts_.deliveries = receiver_->deliveries();
    }
    if (auto after = read_shop(shop())) facts_.after = *after;
    if (!follower_) return;
    // The last event is written just before the workflow ends.
    const MonotonicTime until = now() + seconds(5);
    do {
      auto run = api_->get(run_path());
      if (!run) return;
      facts_.status = run->value("status", "");
      if (run->contains("output") && (*run)["output"].is_string()) facts_.output = (*run)["output"];
      facts_.approvals = run->value("approvals", Json::array());
      if (facts_.status != "running" || !facts_.failure.empty()) return;
      follower_->next(milliseconds(20));
    } while (now() < until);
  }

  int report() {
    // What came while collecting does not belong to the log that was followed.
    const std::vector<Check> checks = check(facts_);
    const bool ok = all_hold(checks);
    if (options_.json) {
      fmt::print("{}\n", to_json(facts_, checks).dump(2, ' ', false, Json::error_handler_t::replace));
    } else {
      print_text(facts_, checks, isatty(STDOUT_FILENO) == 1);
    }
    std::fflush(stdout);
    if (follower_) follower_->disconnect();
    if (ok && !options_.keep && !directory_.empty()) {
      std::error_code ignored;
      std::filesystem::remove_all(directory_, ignored);
    }
    return ok ? 0 : 1;
  }

  const DemoOptions& options_;
  const DemoEnvironment& env_;
  const KillPoint kill_point_;
  std::filesystem::path directory_;
  Facts facts_;
  bool killed_ = false;
  bool approved_ = false;
  std::string approval_;
  std::string seen_arguments_;  // by their hash
  // In the order in which they may go, last first.
  std::unique_ptr<Executor> http_loop_;
  std::unique_ptr<net::HttpClient> http_;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<Receiver> receiver_;
  std::unique_ptr<model::ScriptedServer> model_;
  std::unique_ptr<rest::ApiClient> api_;
  std::unique_ptr<rest::EventStream> follower_;
};

}  // namespace

std::string KillPoint::describe() const {
  switch (kind) {
    case Kind::kStep: return fmt::format("as step {} begins", number);
    case Kind::kApproval: return "at step 10, while the refund waits for approval";
    case Kind::kReceiver: return fmt::format("after message {} was answered, before our commit", number);
    case Kind::kRefund: return "at step 10, while the approved refund runs";
    case Kind::kAnswer: return "while the final answer streams";
  }
  return "";
}

Result<KillPoint> parse_kill_point(const std::string& text, Random& random) {
  KillPoint point;
  if (text == "random") {
    // Ten steps, three answered messages, the running refund, the final answer.
    const auto pick = static_cast<int>(random.next() % 15);
    if (pick < 9) return KillPoint{KillPoint::Kind::kStep, pick + 1};
    if (pick == 9) return KillPoint{KillPoint::Kind::kApproval, kSteps};
    if (pick < 13) return KillPoint{KillPoint::Kind::kReceiver, pick - 9};
    return KillPoint{pick == 13 ? KillPoint::Kind::kRefund : KillPoint::Kind::kAnswer, kSteps};
  }
  if (text == "receiver") return KillPoint{KillPoint::Kind::kReceiver, 2};
  if (text == "refund") return KillPoint{KillPoint::Kind::kRefund, kSteps};
  if (text == "answer") return KillPoint{KillPoint::Kind::kAnswer, kSteps + 1};
  for (int step = 1; step < kSteps; ++step) {
    if (text == std::to_string(step)) return KillPoint{KillPoint::Kind::kStep, step};
  }
  if (text == std::to_string(kSteps)) return point;
  return fail(Code::kInvalidArgument,
              fmt::format("--kill-at {}: use a step from 1 to {}, receiver, refund, answer or "
                          "random",
                          text, kSteps));
}

int run_demo(const DemoOptions& options, const DemoEnvironment& environment) {
  auto point = parse_kill_point(options.kill_at, *environment.random);
  if (!point) {
    fmt::print(stderr, "holdfast demo: {}\n", point.error().message());
    return 2;
  }
  return Demo(options, environment, *point).run();
}

}  // namespace holdfast::demo
