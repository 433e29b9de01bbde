#include "harness.h"

#include <condition_variable>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/ids.h"
#include "fixture/postgres_server.h"
#include "model/message.h"
#include "platform_postgres/postgres_store.h"
#include "protocol/pure_tool.h"
#include "protocol/steering.h"
#include "sqlite/statement.h"

namespace holdfast::e2e {

namespace {

constexpr const char* kShop =
    "CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT, total REAL);"
    "CREATE TABLE refunds(id INTEGER PRIMARY KEY, order_id INTEGER, amount REAL);"
    "INSERT INTO orders VALUES (7, 'Ada', 180.0), (8, 'Ben', 20.0);";

std::unique_ptr<Executor> new_executor(const std::string& name) {
  return std::make_unique<os::ThreadExecutor>(name);
}

template <typename T>
T must(Result<T> result, const char* what) {
  if (!result) {
    ADD_FAILURE() << what << ": " << result.error().to_string();
    std::abort();
  }
  return std::move(*result);
}

}  // namespace

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds at_most) {
  std::mutex mutex;
  std::condition_variable tick;
  std::unique_lock lock(mutex);
  for (auto left = at_most; !condition(); left -= std::chrono::milliseconds(5)) {
    if (left.count() <= 0) return false;
    tick.wait_for(lock, std::chrono::milliseconds(5));
  }
  return true;
}

Receiver::Receiver() {
  net::ServerOptions options;
  options.address = "127.0.0.1:0";
  server_ = must(net::Server::start(options,
                                    [this](net::Request request, net::Responder responder) {
                                      std::pair<int, std::string> reply{200, "ok"};
                                      {
                                        std::lock_guard lock(mutex_);
                                        bodies_.push_back(request.body);
                                        if (answer) reply = answer(static_cast<int>(bodies_.size()));
                                        if (reply.first == 200)
                                          ++keys_[std::string(request.header("idempotency-key"))];
                                        if (reply.first == 0) return silent_.push_back(std::move(responder));
                                      }
                                      net::Response response;
                                      response.status = reply.first;
                                      response.content_type = "text/plain";
                                      response.body = reply.second;
                                      responder.reply(std::move(response));
                                    }),
                 "receiver");
}

std::string Receiver::url(const std::string& path) const {
  return "http://" + server_->address() + path;
}
int Receiver::deliveries() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(bodies_.size());
}
int Receiver::effects() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(keys_.size());
}
std::vector<std::string> Receiver::bodies() const {
  std::lock_guard lock(mutex_);
  return bodies_;
}

Platform::Platform(const std::string& script) : environment_(clock_, random_, new_executor) {
  suffix_ = new_uuid(random_).substr(0, 8);
  std::filesystem::create_directories(directory_ / "engine");
  receiver = std::make_unique<Receiver>();
  model::ScriptedOptions scripted_options;
  scripted_options.script = script;
  scripted = must(model::start_scripted_server(scripted_options), "scripted model");
  http_ = net::curl_http_client(http_loop_, net::Egress::kGranted);
  open_stores();
  if (const char* address = std::getenv("HOLDFAST_E2E_ENGINE")) {
    remote_ = must(rpc::GrpcConnection::open(address), "HOLDFAST_E2E_ENGINE");
    connection_ = remote_.get();
  } else {
    store::RocksOptions rocks;
    rocks.dir = directory_ / "engine";
    rocks_ = must(store::RocksStore::open(rocks), "engine store");
    engine::EngineOptions options;
    options.core.limits.pure_activities = {protocol::kPureToolActivity};
    engine_ = must(engine::Engine::open(std::move(options), *rocks_, clock_, random_, nullptr), "engine");
    connection_ = engine_.get();
  }
  client_ = std::make_unique<Client>(*connection_, environment_);
  query_shop(kShop);
  for (const std::string& grant :
       {std::string("host:127.0.0.1"), "database.write:" + (directory_ / "shop.db").string()})
    grants_.allow(must(grant::parse_grant(grant), "grant"));
  start_workers();
}

void Platform::open_stores() {
  if (std::getenv("HOLDFAST_E2E_POSTGRES") != nullptr) {
    platform::PostgresOptions options;
    options.address =
        must(postgres::parse_address(fixture::PostgresServer::shared().new_address()), "address");
    auto opened = must(platform::open_postgres(options, clock_, random_, flusher_), "platform store");
    stores_.store = std::move(opened.store);
    stores_.streams = std::move(opened.streams);
    stores_.outbox = std::move(opened.outbox);
    return;
  }
  platform::SqliteOptions sqlite;
  sqlite.directory = directory_ / "platform";
  stores_ = must(platform::open_sqlite(sqlite, clock_, random_, flusher_), "platform store");
}

Platform::~Platform() {
  stop_workers();
  client_.reset();
  engine_.reset();
  rocks_.reset();
  remote_.reset();
  scripted.reset();
  http_.reset();
  stores_.outbox.reset();
  stores_.streams.reset();
  stores_.store.reset();
}

void Platform::allow(const std::string& grant) {
  grants_.allow(must(grant::parse_grant(grant), "grant"));
}

std::unique_ptr<Worker> Platform::new_worker(const std::string& queue) {
  WorkerOptions options(queue);
  options.in_process(engine_ != nullptr);
  return std::make_unique<Worker>(*connection_, environment_, options);
}

void Platform::start_workers() {
  // Queues of this test alone are not needed: ids differ, and each test process has an engine of its own. On
  // a shared Temporal server tests run one after the other.
  for (const char* queue : {agent::kAgentQueue, agent::kModelQueue, agent::kToolQueue}) {
    WorkerOptions options{std::string(queue)};
    const bool models = std::string_view(queue) == agent::kModelQueue;
    // As the program's own workers: a call that is cancelled hears of it soon.
    options.in_process(engine_ != nullptr)
        .max_concurrent_activities(models ? model_slots : 16)
        .max_heartbeat_throttle_interval(std::chrono::milliseconds(500));
    workers_.push_back(std::make_unique<Worker>(*connection_, environment_, options));
  }
  gate_ = std::make_unique<model::Gate>(model_limits.limits, clock_);
  breakers_ = std::make_unique<model::Breakers>(model_limits.breaker, clock_);
  agent::Deps deps;
  deps.gate = gate_.get();
  deps.breakers = breakers_.get();
  deps.store = stores_.store.get();
  deps.streams = stores_.streams.get();
  deps.outbox = stores_.outbox.get();
  deps.http = http_.get();
  deps.engine = client_.get();
  deps.start_run = [this](platform::StartIntent intent) -> Status {
    auto stored = store().start_run(intent);
    if (!stored) return stored.error();
    agent::RunInput in;
    in.agent = intent.agent;
    in.conversation = intent.conversation;
    auto started = client_->start(agent::kWorkflowType,
                                  StartOptions(intent.run, agent::kAgentQueue).request_id(intent.run), in);
    return started ? store().mark_started(intent.run, started->run_id()) : started.error();
  };
  deps.clock = &clock_;
  deps.public_url = "http://holdfast.test";
  deps.grants = &grants_;
  deps.sql_memory = &sql_memory_;
  deps.prices = &prices;
  deps.evaluate = std::bind_front(&Platform::evaluate, this);
  agent::Workers workers;
  workers.agents = workers_[0].get();
  workers.models = workers_[1].get();
  workers.tools = workers_[2].get();
  agent::register_all(workers, deps);
  for (auto& worker : workers_) {
    Status started = worker->start();
    ASSERT_TRUE(started.ok()) << started.to_string();
  }
}

Result<sandbox::Reply> Platform::evaluate(std::string_view tenant, const sandbox::Request& request,
                                          std::chrono::milliseconds patience) {
  {
    const std::lock_guard lock(sandbox_mutex_);
    if (!sandbox_) {
      auto started = sandbox::Broker::start({}, sandbox_memory_, clock_);
      if (!started) return fail(started.error());
      sandbox_ = *std::move(started);
    }
  }
  return sandbox_->run(tenant, request, patience);
}

void Platform::stop_workers() {
  for (auto& worker : workers_) worker->stop();
  workers_.clear();
}

void Platform::skip(std::chrono::nanoseconds time) {
  clock_.skip(time);
  // The engine sleeps until the next deadline by the old time; any request makes it look again.
  (void)client_->workflow("nobody").describe();
}

bool sleeps(const WorkflowHandle& run) {
  return eventually([&] {
    const auto history = run.history_json();
    if (!history) return false;
    int timers = 0;
    for (const Json& event : Json::parse(*history)["events"]) {
      if (event.contains("timerStartedEventAttributes")) ++timers;
      if (event.contains("timerFiredEventAttributes") || event.contains("timerCanceledEventAttributes"))
        --timers;
    }
    return timers > 0;
  });
}

void Platform::deploy(const std::string& name, const std::string& extra, const std::string& tools,
                      const std::string& model_extra) {
  const std::string shop = (directory_ / "shop.db").string();
  std::string yaml = fmt::format(
      R"(apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: {name}}}
spec:
  model:
    provider: {provider}
    base_url: {model}
    name: {name}
    retry: {{initial: 50ms, max_interval: 200ms, attempts: 5}}
{model_extra}
  prompt: You handle refunds.
  tools:
    - name: lookup
      type: sql
      parameters: {{properties: {{order_id: {{type: integer}}}}, required: [order_id]}}
      sql: {{database: {shop}, statement: "SELECT * FROM orders WHERE id = :order_id"}}
    - name: refund
      type: sql
      parameters:
        properties: {{order_id: {{type: integer}}, amount: {{type: number, minimum: 0}}}}
        required: [order_id, amount]
      sql:
        database: {shop}
        read_only: false
        statement: INSERT INTO refunds(order_id, amount) VALUES (:order_id, :amount)
    - name: note
      type: http
      effect: idempotent
      retry: {{initial: 20ms, attempts: 3}}
      parameters: {{properties: {{text: {{type: string}}}}, required: [text]}}
      http: {{method: POST, url: "{note}", body: {{text: "{{text}}"}}}}
{tools}
{extra}
)",
      fmt::arg("name", name), fmt::arg("provider", provider), fmt::arg("model", scripted->base_url()),
      fmt::arg("shop", shop), fmt::arg("note", receiver->url("/note")), fmt::arg("tools", tools),
      fmt::arg("model_extra", model_extra),
      fmt::arg("extra", extra.empty() ? "  approvals: {rules: [{tool: refund, when: amount "
                                        "> 100, action: ask}]}"
                                      : extra));
  auto deployed = agent::deploy(store(), {.text = yaml, .source = name + ".yaml"});
  ASSERT_TRUE(deployed.has_value()) << deployed.error().message() << "\n" << yaml;
}

WorkflowHandle Platform::start(const std::string& agent, const std::string& input) {
  agent::RunInput in;
  in.agent = agent;
  in.input = input;
  return must(client_->start(agent::kWorkflowType, StartOptions(run_id(agent), agent::kAgentQueue), in),
              "start");
}

WorkflowHandle Platform::go_on(const std::string& agent, const std::string& input,
                               const std::string& conversation, const std::string& name) {
  agent::RunInput in;
  in.agent = agent;
  in.input = input;
  in.conversation = conversation;
  return must(client_->start(agent::kWorkflowType, StartOptions(run_id(name), agent::kAgentQueue), in),
              "start");
}

void Platform::record(const WorkflowHandle& run) {
  const char* directory = std::getenv("HOLDFAST_RECORD_DIR");
  if (!directory) return;
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  std::string name =
      fmt::format("{}.{}.{}.json", test->test_suite_name(), test->name(), engine_ ? "holdfast" : "temporal");
  auto history = run.history_json();
  if (history) std::ofstream(std::filesystem::path(directory) / name) << *history;
}

agent::RunResult Platform::finish(const WorkflowHandle& run) {
  auto result = run.result<agent::RunResult>(std::chrono::seconds(90));
  record(run);
  EXPECT_TRUE(result.has_value()) << result.error().to_string();
  if (!result) return {};
  EXPECT_TRUE(result->ok()) << result->error().to_string();
  return result->ok() ? result->value() : agent::RunResult();
}

Json Platform::status(const WorkflowHandle& run) {
  auto status = run.query<Json>(agent::kStatusQuery);
  return status ? *status : Json::object();
}

Json Platform::wait_for_approval(const WorkflowHandle& run, const std::string& answered) {
  Json found;
  EXPECT_TRUE(eventually([&] {
    platform::ApprovalFilter filter;
    filter.run = run.workflow_id();
    filter.status = platform::ApprovalStatus::kPending;
    auto pending = store().approvals(filter);
    if (!pending || pending->empty() || pending->front().id == answered) return false;
    const platform::Approval& approval = pending->front();
    found = {{"approval", approval.id},
             {"arguments_sha256", approval.arguments_sha256},
             {"tool", approval.tool},
             {"arguments", Json::parse(approval.arguments)},
             {"reason", approval.reason}};
    return true;
  })) << status(run).dump();
  return found;
}

Result<Outcome<Json>> Platform::decide(const WorkflowHandle& run, const Json& decision) {
  return run.update<Json>(agent::kDecideUpdate, decision);
}

// The text first, then the word that it is there.
Result<Outcome<Json>> Platform::send(const WorkflowHandle& run, const std::string& text,
                                     const std::string& id) {
  protocol::MessageText said;
  said.text = text;
  said.by = "ada";
  platform::StepWrite write;
  write.key = "message:" + run.workflow_id() + id;
  write.run = run.workflow_id();
  write.result = Json(said).dump();
  EXPECT_TRUE(store().commit_step(write).has_value());
  protocol::SentMessage message;
  message.id = id;
  message.key = write.key;
  message.by = "ada";
  return run.update<Json>(protocol::kMessageUpdate, message);
}

std::vector<std::string> Platform::conversation(const std::string& run) {
  std::vector<std::string> out;
  auto head = store().head(run, 0);
  if (!head) return out;
  for (const platform::Message& stored : must(store().read(*head), "conversation")) {
    if (stored.json.starts_with(R"({"role":"summary")")) continue;
    auto message = must(model::message_from_json(stored.json), "message");
    std::string line = std::string(model::role_name(message.role)) + ": " + message.text();
    for (const model::ToolCall& call : message.tool_calls)
      line += fmt::format(" [{} {}]", call.name, call.arguments);
    out.push_back(std::move(line));
  }
  return out;
}

std::vector<platform::Event> Platform::events(const std::string& run) {
  std::vector<platform::Event> out;
  std::string cursor;
  for (;;) {
    auto page = must(stores_.streams->read(run, cursor, 500), "events");
    if (page.events.empty()) return out;
    out.insert(out.end(), page.events.begin(), page.events.end());
    cursor = page.cursor;
  }
}

int Platform::count_events(const std::string& run, std::string_view type) {
  int count = 0;
  for (const platform::Event& event : events(run)) count += event.type == type ? 1 : 0;
  return count;
}

Json Platform::query_shop(const std::string& sql) {
  const std::string path = (directory_ / "shop.db").string();
  sqlite::Database db;
  EXPECT_TRUE(db.open(path).ok());
  Json rows = Json::array();
  for (std::string_view script = sql; !script.empty();) {
    sqlite::Statement statement = sqlite::Statement::first_of(db, script);
    while (statement.next()) {
      Json& row = rows.emplace_back(Json::array());
      for (int i = 0; i < statement.columns(); ++i) {
        row.push_back(statement.is_null(i) ? Json() : Json(statement.text(i)));
      }
    }
    EXPECT_TRUE(statement.status().ok()) << statement.status().to_string();
  }
  return rows;
}

}  // namespace holdfast::e2e
