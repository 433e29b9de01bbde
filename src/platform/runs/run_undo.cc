// What a closed run did is taken back by a run of its own, which says whose effects they are. The closed
// workflow knows what it called, the ledger what became of that.

#include "runs/run_undo.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/json.h"
#include "base/sha256.h"
#include "platform/audit_rules.h"
#include "platform/undo_items.h"
#include "platform/undo_tries.h"
#include "protocol/undo.h"
#include "protocol/words.h"
#include "runs/runs_impl.h"

namespace holdfast::runs {

namespace {

using protocol::Json;
using protocol::Undoable;
using protocol::Word;

constexpr protocol::Words kWould("end of an undoing",
                                 {Word{WouldUndo::kUndo, "undo"}, Word{WouldUndo::kAsk, "ask"},
                                  Word{WouldUndo::kNothing, "nothing"}, Word{WouldUndo::kUndone, "undone"},
                                  Word{WouldUndo::kStands, "stands"}});

Status cannot(const std::string& run, std::string_view why) {
  return with_fault(Code::kFailedPrecondition, RunFault::kNotUndone,
                    fmt::format("run '{}' cannot be undone: {}", run, why));
}

// A closed run, whose history is still there.
Result<platform::RunRecord> closed_run(Runs& runs, Runs::Impl& impl, const std::string& id) {
  auto run = impl.store().run(id);
  if (!run && run.error().code() == Code::kNotFound) {
    auto child = runs.find(id);
    return fail(child ? cannot(id, "it is a sub-agent's; undo the run that called it") : child.error());
  }
  if (!run) return fail(run.error());
  const Standing standing = impl.standing_of(*run);
  if (Status over = Runs::Impl::check_closed(id, standing); !over.ok()) return fail(std::move(over));
  if (standing.history_deleted)
    return fail(cannot(id, "its history was deleted, and with it what it called"));
  const auto origin = impl.store().origin(id);
  if (!origin) return fail(origin.error());
  if (*origin && protocol::is_undo_state((*origin)->state))
    return fail(cannot(id, "it has taken back effects itself"));
  return run;
}

Result<std::vector<Undoable>> effects_of(Runs::Impl& impl, const std::string& run) {
  auto effects = impl.client.workflow(run).query<std::vector<Undoable>>(protocol::kUndoableQuery);
  if (!effects) return fail(effects.error());
  if (effects->size() > protocol::kMaxUndone) {
    return fail(
        cannot(run, fmt::format("it and its sub-agents made {} calls that could be taken back, and at "
                                "most {} are",
                                effects->size(), protocol::kMaxUndone)));
  }
  return effects;
}

Result<WouldUndo> would_undo(platform::Store& store, const std::string& key) {
  using platform::EffectState;
  const auto undoing = platform::last_undo_try(store, key);
  if (!undoing) return fail(undoing.error());
  if (undoing->undone()) return WouldUndo::kUndone;
  if (undoing->failed()) return WouldUndo::kStands;
  if (undoing->record && undoing->record->intent.effect == protocol::Effect::kAtMostOnce)
    return WouldUndo::kAsk;
  const auto effect = store.lookup_effect(key);
  if (!effect) return fail(effect.error());
  if (!*effect) return WouldUndo::kNothing;
  if ((*effect)->state != EffectState::kSettled) return WouldUndo::kAsk;
  return (*effect)->succeeded ? WouldUndo::kUndo : WouldUndo::kNothing;
}

Status list_call(Runs::Impl& impl, const Undoable& call, std::optional<std::uint64_t> item, UndoPlan& out) {
  auto would = would_undo(impl.store(), call.call.key);
  if (!would) return would.error();
  UndoRow row;
  row.agent = call.agent;
  row.tool = call.call.tool;
  row.key = call.call.key;
  row.step = call.call.step;
  row.item = item;
  row.would = *would;
  out.effects.push_back(std::move(row));
  return {};
}

// As many of them as a list has.
Status list_items(Runs::Impl& impl, const std::string& namespace_name, const Undoable& group, UndoPlan& out) {
  std::optional<std::uint64_t> before;
  while (!before || *before > 0) {
    const auto page = platform::item_calls(impl.store(), namespace_name, group, before);
    if (!page) return page.error();
    for (const platform::ItemCall& one : page->calls) {
      out.more = out.effects.size() >= protocol::kMaxUndone;
      if (out.more) return {};
      if (Status listed = list_call(impl, one.call, one.item, out); !listed.ok()) return listed;
    }
    before = page->next;
  }
  return {};
}

struct LastUndo {
  int nth = 0;         // 0: nobody has asked for one
  bool begun = false;  // the next one has its origin: an attempt that a crash has cut short
  std::optional<platform::RunRecord> run;
};

// Which of the run's undoings is the newest. Whose id is somebody else's is told.
Result<LastUndo> last_undo(Runs::Impl& impl, const std::string& run) {
  LastUndo out;
  while (out.nth < kMaxUndoRuns) {
    const std::string id = undo_id(run, out.nth + 1);
    const auto origin = impl.store().origin(id);
    if (!origin) return fail(origin.error());
    const bool is_ours = *origin && (*origin)->origin == run && protocol::is_undo_state((*origin)->state);
    auto taken = impl.store().run(id);
    if (!taken && taken.error().code() != Code::kNotFound) return fail(taken.error());
    if (!is_ours && (taken || *origin)) {
      return fail(with_fault(Code::kAlreadyExists, RunFault::kRunExists,
                             fmt::format("another run has the id '{}'", id)));
    }
    if (!taken) {
      out.begun = is_ours;
      return out;
    }
    ++out.nth;
    out.run = *std::move(taken);
  }
  return out;
}

bool is_over_without_success(Runs::Impl& impl, const platform::RunRecord& run) {
  const RunStatus status = impl.standing_of(run).status;
  return is_closed(status) && status != RunStatus::kCompleted;
}

bool is_left(const UndoRow& row) {
  return row.would == WouldUndo::kUndo || row.would == WouldUndo::kAsk || row.would == WouldUndo::kStands;
}

}  // namespace

std::string_view to_string(WouldUndo would) {
  return kWould.text(would);
}

std::string undo_id(const std::string& run, int nth) {
  const std::string suffix = nth > 1 ? fmt::format(".undo.{}", nth) : ".undo";
  if (run.size() + suffix.size() <= kMaxIdBytes) return run + suffix;
  return "undo-" + sha256_hex(run) + (nth > 1 ? fmt::format(".{}", nth) : "");
}

Result<UndoPlan> Runs::plan_undo(const std::string& id) {
  auto run = closed_run(*this, *impl_, id);
  if (!run) return fail(run.error());
  auto effects = effects_of(*impl_, id);
  if (!effects) return fail(effects.error());
  UndoPlan out;
  out.agent = run->agent;
  out.version = run->definition_hash;
  for (auto effect = effects->rbegin(); effect != effects->rend() && !out.more; ++effect) {
    const Status listed = effect->items ? list_items(*impl_, namespace_name(), *effect, out)
                                        : list_call(*impl_, *effect, std::nullopt, out);
    if (!listed.ok()) return fail(listed);
  }
  return out;
}

Result<StartedRun> Runs::undo(const UndoRequest& request) {
  auto run = closed_run(*this, *impl_, request.run);
  if (!run) return fail(run.error());
  auto last = last_undo(*impl_, request.run);
  if (!last) return fail(last.error());
  if (last->run) {
    // The same request again: what it made. But what stands when that is over is asked for anew.
    if (!is_over_without_success(*impl_, *last->run) || last->nth >= kMaxUndoRuns)
      return impl_->same_again(*last->run);
    auto plan = plan_undo(request.run);
    if (!plan) return fail(plan.error());
    if (!plan->more && std::ranges::none_of(plan->effects, is_left)) return impl_->same_again(*last->run);
  }
  platform::Origin origin;
  origin.run = undo_id(request.run, last->nth + 1);
  origin.origin = request.run;
  origin.by = request.by;
  if (!last->begun) {
    auto effects = effects_of(*impl_, request.run);
    if (!effects) return fail(effects.error());
    if (effects->empty()) return fail(cannot(request.run, "it has no effect that a tool takes back"));
    origin.state = protocol::undo_state(*effects);
    if (auto stored = impl_->store().put_origin(origin); !stored) return fail(stored.error());
  }
  const Status recorded = impl_->store().audit(
      platform::rules::audit_of_request(platform::rules::kRunUndo, request.run, request.by, request.reason));
  if (!recorded.ok()) return fail(recorded);
  auto intent = impl_->intent_behind(*run, origin);
  if (!intent) return fail(intent.error());
  intent->definition_hash = run->definition_hash;
  intent->input = dump_json(Json{{"undo", request.run}});
  intent->fingerprint = "undo:" + sha256_hex(request.run);
  return impl_->accept(*intent);  // it stands in no line, and needs nothing that it is started with
}

}  // namespace holdfast::runs
