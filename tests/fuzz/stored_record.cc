// What the engine reads back from its store, when it is not what was written. One row of a small store gets
// other bytes (first byte: which; the second: how), such as RocksDB's checksums would let through: opening it
// and asking about its executions ends in answers, or in an error of the data. And any events, made one
// history (second byte: odd), are applied, or refused; so are rows of what a run holds.

#include "api/messages.h"
#include "engine_under_fuzz.h"
#include "fuzz.h"
#include "history/mutable_state.h"
#include "history/rebuild.h"
#include "history/volatile_state.h"
#include "message_filler.h"

namespace holdfast::fuzz {
namespace {

void rebuild(std::string_view bytes, bool numbered) {
  pb::history::v1::History history;
  MessageFiller(bytes, "", "").fill(history);
  history::Rebuild rebuild(history::facts_of({}));
  std::int64_t id = 0;
  for (auto& event : *history.mutable_events()) {
    if (numbered) event.set_event_id(++id);
    if (!rebuild.add(event).ok()) return;
  }
  (void)rebuild.difference({});
}

// Rows of what a run holds: the bytes are some of them, each after its kind, its number and its length.
void read_parts(std::string_view bytes) {
  constexpr std::int64_t kRows = 3;
  history::stored::ExecutionState head;
  head.set_status(enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  head.set_part_rows(kRows);
  history::StateReader reader;
  REQUIRE(reader.state(history::serialize(head)));
  while (bytes.size() > 3 && reader.missing() > 0) {
    const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
    const std::string_view row = bytes.substr(3, at(2));
    if (!reader.part(at(0) % 12, at(1), row)) return;
    bytes.remove_prefix(3 + row.size());
  }
  if (reader.missing() > 0) return;
  history::MutableState state(std::move(reader));
  REQUIRE(state.part_rows() == kRows);
  REQUIRE(state.take_rows().parts.empty());
  (void)state.whole();
}

void ask_about_all(EngineUnderFuzz& engine) {
  ws::DescribeWorkflowExecutionRequest describe;
  ws::GetWorkflowExecutionHistoryRequest history;
  describe.set_namespace_("default");
  history.set_namespace_("default");
  describe.mutable_execution()->set_workflow_id("w");
  history.mutable_execution()->set_workflow_id("w");
  (void)engine.ask(api::Method::kDescribeWorkflowExecution, describe);
  (void)engine.ask(api::Method::kGetWorkflowExecutionHistory, history);
  ws::PollWorkflowTaskQueueRequest poll;
  poll.set_namespace_("default");
  poll.mutable_task_queue()->set_name("q");
  (void)engine.ask(api::Method::kPollWorkflowTaskQueue, poll);
  engine.advance(3600'000'000'000);
}

}  // namespace

FUZZ(input) {
  if (input.size() < 3) return;
  const auto which = static_cast<std::uint8_t>(input[0]);
  const auto how = static_cast<std::uint8_t>(input[1]);
  input.remove_prefix(2);
  if (how % 8 == 3) return read_parts(input);
  if (how % 2 == 1) return rebuild(input, how % 4 == 1);

  EngineUnderFuzz engine;
  REQUIRE(engine.open().ok());
  engine.begin_workflow();
  std::vector<std::pair<std::string, std::string>> rows;
  const Status scanned = engine.store.scan({}, {}, [&](std::string_view key, std::string_view value) {
    rows.emplace_back(key, value);
    return true;
  });
  REQUIRE(scanned.ok());
  auto& [key, value] = rows[which % rows.size()];
  value = how % 4 == 0 ? std::string(input) : value.substr(0, value.size() * how / 256);
  // A state of this execution that was never stored is no damage, but another history.
  history::stored::ExecutionState state;
  if (state.ParseFromString(value) && state.workflow_id() == "w") return;
  store::WriteBatch batch;
  batch.put(key, value);
  REQUIRE(engine.store.commit(batch).ok());
  if (Status opened = engine.open(); opened.ok()) {
    ask_about_all(engine);
  } else {
    REQUIRE(opened.code() == Code::kDataLoss || opened.code() == Code::kFailedPrecondition);
  }
}

}  // namespace holdfast::fuzz
