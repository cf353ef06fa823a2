"""Asking a person by an interrupt of LangGraph, so that what they answer is about the call that they were asked about.

LangGraph gives an answer to whichever call of a task takes it first, be it another one than had asked. So a call asks only
where it has its task to itself, and an answer counts only where the checkpoint holds the very question it is about.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from langchain_core.messages import AIMessage, ToolCall, ToolMessage
from langchain_core.runnables import RunnableConfig

from ..errors import InputError, Problem
from .consent import Approval, ConsentRequest

_APPROVAL = {"decisions": [{"type": "approve"}]}
_ASKED = "persona_block"
"""Where a question holds what stands for the call and for the object that a person was shown."""
_TASKS_LIMIT = 10_000
"""How many tasks are remembered; the oldest go first."""
_CHECKPOINTER = "__pregel_checkpointer"
"""Where LangGraph's config holds what keeps a graph that was interrupted; without it none can go on."""
_CHECKPOINTS = "checkpoint_map"
"""Where it holds the ids of the checkpoints that a task goes on from, by namespace: its graph's, and those around it."""
_INTERRUPTS = "__interrupt__"
"""The channel of a checkpoint that holds the interrupts of its tasks."""

_log = logging.getLogger(__name__)
_asking_calls: OrderedDict[str, str] = OrderedDict()
"""By task of a graph, the idempotency key of the one call that it has asked about; the latest tasks last."""
_asking_lock = Lock()


@dataclass(frozen=True)
class GraphCall:
    """One call of a tool by a graph.

    task: the task of the graph: the same one when it is replayed or resumed, and another in every run. None outside a graph.
    call_id: the call's id; None where no ToolNode makes it.
    position: the place of the model's message that makes it among the messages so far; None where it is not known.
    calls: the calls of that message that wait for an answer, in order.
    """

    config: RunnableConfig
    task: str | None
    call_id: str | None
    position: int | None
    calls: tuple[ToolCall, ...]

    @classmethod
    def of(cls, config: RunnableConfig, runtime: Any) -> GraphCall:
        """Return the call that a config and a `ToolRuntime` are of; None stands for a runtime outside a ToolNode."""
        namespace = (config.get("metadata") or {}).get("langgraph_checkpoint_ns")
        thread = (config.get("configurable") or {}).get("thread_id", "")
        task = f"{thread} {namespace}" if namespace else None
        state = getattr(runtime, "state", None)
        messages = state.get("messages") if isinstance(state, Mapping) else getattr(state, "messages", state)
        position, calls = _waiting_calls(messages if isinstance(messages, list) else [])
        return cls(config, task, getattr(runtime, "tool_call_id", None), position, calls)

    @property
    def step(self) -> tuple[object, ...]:
        """What the call's idempotency key stands for, beside the call itself."""
        return "langchain", self.task, -1 if self.position is None else self.position

    @property
    def can_interrupt(self) -> bool:
        """Whether the graph can stop for a question, and go on."""
        return bool(self.task and (self.config.get("configurable") or {}).get(_CHECKPOINTER))

    def argument(self, name: str) -> Any:
        """Return an argument that the model gave the call, or None."""
        return next((call["args"].get(name) for call in self.calls if call["id"] == self.call_id), None)


async def ask(
    read_request: Callable[[], Awaitable[ConsentRequest | None]],
    action: Mapping[str, Any],
    call: GraphCall,
    idempotency_key: str | None,
    *,
    is_blocking: bool,
) -> Approval | None:
    """Return the word of the person who resumes the graph; None outside a graph, where nobody can be asked.

    read_request: reads what to ask, where this was not asked before.
    action: the name and arguments of the call, in the form of LangChain's own human-in-the-loop middleware.
    idempotency_key: that of the call's step.
    is_blocking: whether the graph runs in `invoke`, with a checkpointer that may know nothing else.

    Raises InputError where an answer could reach another call, or came to one that nobody was asked about.
    """
    if not call.can_interrupt or call.task is None:
        return None
    if not idempotency_key or call.position is None:
        text = "calls this without a ToolNode, so a person's answer could reach another call; whoever runs it has to use one"
        raise InputError(action["name"], [Problem("host", f"{text}, or to give the toolbox a consent")])
    if not (_is_alone(call) and _is_first_to_ask(call.task, idempotency_key)):
        text = "several calls came at once, so a person's answer could reach the wrong one; call this one alone"
        raise InputError(action["name"], [Problem("calls", f"{text}, or whoever runs it gives the toolbox a consent")])
    asked = await _asked_before(action, call.config.get("configurable") or {}, is_blocking=is_blocking)
    question = asked or _question(await read_request(), action)
    if question is None:
        return None
    answer = _interrupt(question)
    if answer is None:
        return None
    if asked is None:
        text = "has an answer that came before this was asked, so that it is about another call; make the call once more"
        raise InputError(action["name"], [Problem("host", text)])
    return Approval(answer == _APPROVAL, question[_ASKED]["digest"], question[_ASKED]["state"])


def _question(request: ConsentRequest | None, action: Mapping[str, Any]) -> dict[str, Any] | None:
    if request is None:
        return None
    return {
        "action_requests": [{**action, "description": request.message}],
        "review_configs": [{"action_name": action["name"], "allowed_decisions": ["approve", "reject"]}],
        _ASKED: {"digest": request.digest, "state": request.state},
    }


def _waiting_calls(messages: list[Any]) -> tuple[int | None, tuple[ToolCall, ...]]:
    """Return the place of the newest message of the model, and which of its calls have no answer yet."""
    done_ids = set()
    for position in reversed(range(len(messages))):
        message = messages[position]
        if isinstance(message, ToolMessage):
            done_ids.add(message.tool_call_id)
        if isinstance(message, AIMessage):
            return position, tuple(call for call in message.tool_calls if call["id"] not in done_ids)
    return None, ()


def _is_alone(call: GraphCall) -> bool:
    """Return whether a call has its task to itself, by the model's message and the task's path in the graph.

    A node that an edge leads to has all the calls of the message. Agents send each waiting call to a task of its own, in
    order, so there the task's number is the call's; should one task get several of them, that is true of one at most.
    """
    ids = [waiting["id"] for waiting in call.calls]
    path = (call.config.get("metadata") or {}).get("langgraph_path", ())
    if ids == [call.call_id]:
        return True
    return ids.count(call.call_id) == 1 and tuple(path[:2]) == ("__pregel_push", ids.index(call.call_id))


def _is_first_to_ask(task: str, idempotency_key: str) -> bool:
    """Return whether a call is the first of its task to ask, or that one again; no second call gets to hear an answer."""
    with _asking_lock:
        first_key = _asking_calls.setdefault(task, idempotency_key)
        _asking_calls.move_to_end(task)
        if len(_asking_calls) > _TASKS_LIMIT:
            _asking_calls.popitem(last=False)
        return first_key == idempotency_key


async def _asked_before(
    action: Mapping[str, Any], configurable: Mapping[str, Any], *, is_blocking: bool
) -> dict[str, Any] | None:
    """Return the question about a call that the graph stopped for, from the checkpoint that the task goes on from, or None."""
    checkpointer = configurable[_CHECKPOINTER]
    for namespace, checkpoint_id in configurable.get(_CHECKPOINTS, {}).items():
        place = {"thread_id": configurable["thread_id"], "checkpoint_ns": namespace, "checkpoint_id": checkpoint_id}
        config = RunnableConfig(configurable=place)
        try:
            saved = checkpointer.get_tuple(config) if is_blocking else await checkpointer.aget_tuple(config)
        except Exception as error:
            # Its text may hold anything, so a log does not get to see it.
            _log.error("reading a checkpoint failed: %s", type(error).__name__)
            continue
        writes = (saved.pending_writes or ()) if saved else ()
        interrupts = [each for _, channel, value in writes if channel == _INTERRUPTS for each in value]
        for question in (getattr(each, "value", None) for each in interrupts):
            if isinstance(question, dict) and _is_about(question, action):
                return question
    return None


def _is_about(question: Mapping[str, Any], action: Mapping[str, Any]) -> bool:
    """Return whether a question that was stored is one of ours, about this very call."""
    requests = question.get("action_requests")
    if not isinstance(question.get(_ASKED), dict) or not isinstance(requests, list) or len(requests) != 1:
        return False
    return {name: value for name, value in requests[0].items() if name != "description"} == dict(action)


def _interrupt(question: Mapping[str, Any]) -> Any:
    """Return what the graph is resumed with, which stops it first; None outside a graph."""
    try:
        from langgraph.types import interrupt

        return interrupt(dict(question))
    except (ImportError, RuntimeError, KeyError):
        return None
