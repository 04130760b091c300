# ruff: noqa
"""Networks that read one thing after another."""

import torch
import torch.nn.functional as F
from torch import nn


class LSTMClassifier(nn.Module):
    """Reads an image row by row in both directions; the last state of each decides."""

    def __init__(self, hidden: int = 32, classes: int = 10):
        super().__init__()
        self.lstm = nn.LSTM(8, hidden, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * hidden, classes)

    def forward(self, x):
        output, (hidden, cell) = self.lstm(x.squeeze(1))
        return self.fc(torch.cat([hidden[0], hidden[1]], dim=1))


class CharacterGRU(nn.Module):
    """Scores every possible next character after each of the 48 characters that it reads."""

    def __init__(self, vocabulary: int = 32, hidden: int = 96):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, 32)
        self.gru = nn.GRU(32, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, vocabulary)

    def forward(self, tokens):
        x, _ = self.gru(self.embed(tokens))
        return self.fc(x)


class EncoderLayer(nn.Module):
    """Attention and two linear layers, each normalized before it and with a skip connection around it."""

    def __init__(self, dim: int, heads: int, dropout: float = 0.1):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.self_attn = nn.MultiheadAttention(dim, heads, dropout=dropout, batch_first=True)
        self.norm2 = nn.LayerNorm(dim)
        self.linear1 = nn.Linear(dim, 4 * dim)
        self.linear2 = nn.Linear(4 * dim, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        y = self.norm1(x)
        y, _ = self.self_attn(y, y, y, need_weights=False)
        x = x + self.dropout(y)
        y = self.linear2(F.gelu(self.linear1(self.norm2(x))))
        return x + self.dropout(y)


class TransformerEncoder(nn.Module):
    """The rows of an image as tokens, a stack of encoder layers, and a classifier on the tokens' mean."""

    def __init__(self, dim: int = 64, heads: int = 4, depth: int = 3, classes: int = 10):
        super().__init__()
        self.embed = nn.Linear(8, dim)
        self.position = nn.Parameter(torch.zeros(1, 8, dim))
        self.layers = nn.ModuleList([EncoderLayer(dim, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, classes)
        nn.init.trunc_normal_(self.position, std=0.02)

    def forward(self, x):
        x = self.embed(x.squeeze(1)) + self.position
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x).mean(dim=1))


class CausalSelfAttention(nn.Module):
    """Every token looks at itself and those before it."""

    def __init__(self, n_embd: int, n_head: int):
        super().__init__()
        self.n_head = n_head
        self.c_attn = nn.Linear(n_embd, 3 * n_embd)
        self.c_proj = nn.Linear(n_embd, n_embd)

    def forward(self, x):
        q, k, v = self.c_attn(x).chunk(3, dim=2)
        q = q.unflatten(2, (self.n_head, -1)).transpose(1, 2)
        k = k.unflatten(2, (self.n_head, -1)).transpose(1, 2)
        v = v.unflatten(2, (self.n_head, -1)).transpose(1, 2)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).flatten(2))


class GPTBlock(nn.Module):
    """Attention, then two linear layers for each token, each added to what came in."""

    def __init__(self, n_embd: int, n_head: int):
        super().__init__()
        self.ln_1 = nn.LayerNorm(n_embd)
        self.attn = CausalSelfAttention(n_embd, n_head)
        self.ln_2 = nn.LayerNorm(n_embd)
        self.mlp = nn.Sequential(nn.Linear(n_embd, 4 * n_embd), nn.GELU(), nn.Linear(4 * n_embd, n_embd))

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    """Scores every possible next token after each token of a text."""

    def __init__(self, vocab_size: int = 32, block_size: int = 48, n_layer: int = 3, n_head: int = 4, n_embd: int = 64):
        super().__init__()
        self.wte = nn.Embedding(vocab_size, n_embd)
        self.wpe = nn.Embedding(block_size, n_embd)
        self.h = nn.ModuleList([GPTBlock(n_embd, n_head) for _ in range(n_layer)])
        self.ln_f = nn.LayerNorm(n_embd)
        self.lm_head = nn.Linear(n_embd, vocab_size, bias=False)

    def forward(self, tokens):
        x = self.wte(tokens) + self.wpe(torch.arange(tokens.size(1)))
        for block in self.h:
            x = block(x)
        return self.lm_head(self.ln_f(x))


class SineLSTM(nn.Module):
    """Reads 48 values of a wave and predicts the one that follows."""

    def __init__(self, hidden: int = 32):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, x):
        x, _ = self.lstm(x)
        return self.fc(x[:, -1])


class SelfAttention(nn.Module):
    """Every row looks at every other row: softmax of query times key weighs the values."""

    def __init__(self, features: int):
        super().__init__()
        self.features = features
        self.query = nn.Linear(features, features)
        self.key = nn.Linear(features, features)
        self.value = nn.Linear(features, features)
        self.out = nn.Linear(features, features)

    def forward(self, x):
        scores = self.query(x) @ self.key(x).transpose(-2, -1) * self.features**-0.5
        return self.out(torch.softmax(scores, -1) @ self.value(x))


class AttentionClassifier(nn.Module):
    """Eight rows of eight pixels become eight tokens; attention mixes them, and their mean is classified."""

    def __init__(self, features: int = 64):
        super().__init__()
        self.position = nn.Parameter(torch.zeros(8, features))
        self.embed = nn.Linear(8, features)
        self.attention = SelfAttention(features)
        self.norm1 = nn.LayerNorm(features)
        self.mlp = nn.Sequential(nn.Linear(features, 2 * features), nn.GELU(), nn.Linear(2 * features, features))
        self.norm2 = nn.LayerNorm(features)
        self.fc = nn.Linear(features, 10)

    def forward(self, x):
        x = self.embed(x.squeeze(1)) + self.position
        x = x + self.attention(self.norm1(x))
        x = x + self.mlp(self.norm2(x))
        return self.fc(x.mean(dim=1))
