import random
from collections import deque, namedtuple

import torch
import torch.nn as nn
import torch.nn.functional as F

Transition = namedtuple("Transition", ("state", "action", "next_state", "reward"))


class ReplayMemory(object):
    def __init__(self, capacity):
        self.memory = deque([], maxlen=capacity)

    def push(self, *args):
        self.memory.append(Transition(*args))

    def sample(self, batch_size):
        return random.sample(self.memory, batch_size)

    def __len__(self):
        return len(self.memory)


class DQN(nn.Module):
    def __init__(self, n_observations, n_actions):
        super(DQN, self).__init__()
        self.layer1 = nn.Linear(n_observations, 32)
        self.layer2 = nn.Linear(32, 32)
        self.layer3 = nn.Linear(32, n_actions)

    def forward(self, x):
        x = F.relu(self.layer1(x))
        x = F.relu(self.layer2(x))
        return self.layer3(x)


class Agent:
    def __init__(self, n_observations=4, n_actions=2, device=None):
        self.device = device or torch.device("cpu")
        self.policy_net = DQN(n_observations, n_actions).to(self.device)
        self.target_net = DQN(n_observations, n_actions).to(self.device)
        self.target_net.load_state_dict(self.policy_net.state_dict())
        self.optimizer = torch.optim.AdamW(self.policy_net.parameters(), lr=1e-3, amsgrad=True)
        self.memory = ReplayMemory(100)
        self.criterion = nn.SmoothL1Loss()

    def select_action(self, state, eps=0.1):
        if random.random() > eps:
            with torch.no_grad():
                return self.policy_net(state).max(1)[1].view(1, 1)
        return torch.tensor([[random.randrange(2)]], device=self.device, dtype=torch.long)

    def optimize(self, batch_size=8, gamma=0.99):
        transitions = self.memory.sample(batch_size)
        batch = Transition(*zip(*transitions))
        non_final_mask = torch.tensor(tuple(s is not None for s in batch.next_state), dtype=torch.bool)
        non_final_next = torch.cat([s for s in batch.next_state if s is not None])
        state_batch = torch.cat(batch.state)
        action_batch = torch.cat(batch.action)
        reward_batch = torch.cat(batch.reward)
        state_action_values = self.policy_net(state_batch).gather(1, action_batch)
        next_values = torch.zeros(batch_size, device=self.device)
        with torch.no_grad():
            next_values[non_final_mask] = self.target_net(non_final_next).max(1).values
        expected = (next_values * gamma) + reward_batch
        loss = self.criterion(state_action_values, expected.unsqueeze(1))
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_value_(self.policy_net.parameters(), 100)
        self.optimizer.step()
        return loss.item()

    def soft_update(self, tau=0.005):
        target = self.target_net.state_dict()
        policy = self.policy_net.state_dict()
        for key in policy:
            target[key] = policy[key] * tau + target[key] * (1 - tau)
        self.target_net.load_state_dict(target)


random.seed(1)
torch.manual_seed(1)
agent = Agent()
state = torch.randn(1, 4)
for step in range(20):
    action = agent.select_action(state, eps=0.5)
    next_state = None if step % 7 == 6 else torch.randn(1, 4)
    reward = torch.tensor([float(action.item())])
    agent.memory.push(state, action, next_state, reward)
    state = next_state if next_state is not None else torch.randn(1, 4)
    if len(agent.memory) > 8:
        print(agent.optimize())
        agent.soft_update()
