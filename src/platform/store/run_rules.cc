#include "platform/run_rules.h"

#include <fmt/format.h>

#include <utility>

#include "base/ids.h"
#include "base/json.h"
#include "base/sha256.h"
#include "platform/run_environment.h"
#include "platform/trace_context.h"

namespace holdfast::platform::rules {

namespace {

std::string fingerprint_of(const std::string& agent, const std::string& input) {
  return sha256_hex(sha256_hex(agent) + sha256_hex(input));
}

// Of the settings what is asked for. Within which trace somebody asks is no part of it: the same request,
// made again, is made in another one.
std::string asked_for(const std::string& settings) {
  if (settings.find(kTraceSetting) == std::string::npos) return settings;
  auto json = parse_json<nlohmann::json>(settings);
  if (!json.is_object() || json.erase(std::string(kTraceSetting)) == 0) return settings;
  return json.empty() ? std::string() : dump_json(json);
}

std::string fingerprint_of(const StartIntent& intent) {
  if (!intent.fingerprint.empty()) return intent.fingerprint;
  const std::string settings = asked_for(intent.settings);
  if (settings.empty()) return fingerprint_of(intent.agent, intent.input);
  return sha256_hex(fingerprint_of(intent.agent, intent.input) + sha256_hex(settings));
}

// Whatever the order of their keys and the space between.
bool same_json(const std::string& a, const std::string& b) {
  const auto left = read_json(a, kMaxJsonDepth, Integers::kExact);
  const auto right = read_json(b, kMaxJsonDepth, Integers::kExact);
  return left && right && dump_json(*left) == dump_json(*right);
}

// Fingerprints are of the text as it came and stay so, since rows hold them; another text may say the same.
bool same_request(const StartIntent& intent, const StoredRun& stored) {
  if (intent.conversation != stored.run.conversation) return false;
  if (stored.fingerprint == fingerprint_of(intent)) return true;
  const RunRecord& run = stored.run;
  const bool of_text = intent.fingerprint.empty() && asked_for(intent.settings).empty() &&
                       stored.fingerprint == fingerprint_of(run.agent, run.input);
  return of_text && intent.agent == run.agent && same_json(intent.input, run.input);
}

}  // namespace

Status check_start(const StartIntent& intent) {
  if (Status status = check_name("an agent", intent.agent); !status.ok()) return status;
  if (!intent.run.empty()) {
    if (Status status = check_name("a run", intent.run); !status.ok()) return status;
  }
  if (!intent.conversation.empty()) {
    if (Status status = check_name("a conversation", intent.conversation); !status.ok()) return status;
  }
  if (Status status = check_body("the settings of a run", intent.settings); !status.ok()) return status;
  return check_body("the input of a run", intent.input);
}

Result<Change<StoredRun>> start_run(const StartIntent& intent, const std::optional<StoredRun>& of_key,
                                    const std::optional<StoredRun>& of_run, Random& random, WallTime now) {
  if (of_key) {
    const bool same_run = intent.run.empty() || intent.run == of_key->run.run;
    if (same_run && same_request(intent, *of_key)) return Change<StoredRun>{*of_key};
    return fail(Code::kAlreadyExists,
                fmt::format("idempotency key {} was used for another request: use a new key",
                            intent.idempotency_key));
  }
  if (of_run) {
    if (same_request(intent, *of_run)) return Change<StoredRun>{*of_run};
    return fail(Code::kAlreadyExists,
                fmt::format("run {} exists with another agent, input or conversation: choose another run id",
                            intent.run));
  }
  RunRecord run;
  run.run = intent.run.empty() ? new_uuid(random) : intent.run;
  run.agent = intent.agent;
  run.definition_hash = intent.definition_hash;
  run.input = intent.input;
  run.input_bytes = intent.input.size();
  run.conversation = intent.conversation;
  run.idempotency_key = intent.idempotency_key;
  run.request_id = run.run;
  run.created_at = now;
  std::optional<FlowPlace> flow = intent.flow;
  if (flow) flow->run = run.run;
  std::string settings = with_environment(intent.settings, intent.environment);
  return Change<StoredRun>{{.run = std::move(run),
                            .fingerprint = fingerprint_of(intent),
                            .settings = std::move(settings),
                            .flow = std::move(flow),
                            .history = intent.history,
                            .keep = intent.keep},
                           Write::kInsert};
}

Change<RunRecord> mark_started(const RunRecord& stored, std::string_view engine_run_id, WallTime now) {
  RunRecord row = stored;
  row.engine_run_id = std::string(engine_run_id);
  if (!row.started_at) row.started_at = now;
  return {std::move(row), Write::kUpdate};
}

const std::string& conversation_of(const RunRecord& run) {
  return run.conversation.empty() ? run.run : run.conversation;
}

std::string first_characters(std::string text, std::size_t count) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (begins && count-- == 0) {
      text.resize(i);
      break;
    }
  }
  return text;
}

Status check_definition(std::string_view name, std::string_view text) {
  if (Status status = check_name("an agent", name); !status.ok()) return status;
  return check_body("a definition", text);
}

Definition new_definition(std::string_view name, std::string_view text, WallTime now) {
  Definition out;
  out.name = std::string(name);
  out.hash = sha256_hex(text);
  out.text = std::string(text);
  out.current = true;
  out.at = now;
  return out;
}

}  // namespace holdfast::platform::rules
