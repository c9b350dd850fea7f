"""The sizes of tiny models: under which names configurations keep them, and what some types need besides."""

from typing import Any

from .tokens import BOS, EOS, PAD, SIZE

N_LAYERS, N_HEADS, D_MODEL, D_HEAD, CONTEXT, WINDOW = 3, 4, 32, 8, 256, 6
_SIZES = (
    (SIZE, "vocab_size audio_vocab_size decoder_vocab_size"),
    (
        CONTEXT,
        "max_position_embeddings n_positions n_ctx max_seq_len model_max_length context_length"
        " max_target_positions max_source_positions original_max_position_embeddings",
    ),
    (
        N_LAYERS,
        "num_hidden_layers n_layer n_layers num_layers encoder_layers decoder_layers num_encoder_layers"
        " num_decoder_layers num_blocks",
    ),
    (
        N_HEADS,
        "num_attention_heads n_head n_heads num_heads encoder_attention_heads decoder_attention_heads"
        " num_encoder_attention_heads num_decoder_attention_heads attention_heads linear_num_heads"
        " linear_num_value_heads mamba_n_heads mamba_num_heads swa_num_attention_heads linear_num_key_heads",
    ),
    (2, "num_key_value_heads swa_num_key_value_heads num_experts_per_tok moe_topk moe_k"),
    (4, "num_experts num_local_experts n_routed_experts moe_num_experts qk_rope_head_dim"),
    (
        D_HEAD,
        "head_dim v_head_dim qk_nope_head_dim dim_head d_head attention_head_size swa_head_dim kv_channels"
        " attention_head_dim linear_key_head_dim linear_value_head_dim linear_head_dim mamba_head_dim index_head_dim"
        " mamba_d_head mamba_headdim d_rel laurel_rank adapter_rank",
    ),
    (
        16,
        "q_lora_rank kv_lora_rank moe_intermediate_size state_size ssm_state_size mamba_d_state o_lora_rank"
        " shared_expert_intermediate_size shared_intermediate_size shared_experts_intermediate_size"
        " moe_shared_expert_intermediate_size expert_ffn_hidden_size router_hidden_size prompt_length"
        " hidden_size_per_layer_input mamba_chunk_size chunk_size",
    ),
    (
        D_MODEL,
        "hidden_size d_model n_embd emb_dim embedding_size word_embed_proj_dim input_embedding_size"
        " output_embedding_size lru_width attention_hidden_size embedding_dim backbone_hidden_size",
    ),
    (
        48,
        "intermediate_size ffn_dim encoder_ffn_dim decoder_ffn_dim n_inner d_inner dim_ff dff ffn_hidden_size"
        " dense_intermediate_size intermediate_size_mlp feed_forward_size prefix_dense_intermediate_size",
    ),
    (32, "index_n_heads"),  # so many that no two keys score 0 in all of them: which of equals is kept is chance
    (128, "index_topk"),  # all keys of a short text, as in published models: a mask may leave none of a few
    (WINDOW, "sliding_window window_size attention_window_size sliding_window_size"),
    (
        1,
        "n_group topk_group n_shared_experts num_shared_experts moe_num_shared_experts n_groups mamba_n_groups"
        " mamba_ngroups first_k_dense_replace num_dense_layers moe_layer_start_index",
    ),
    (0, "num_nextn_predict_layers num_mtp_layers"),
    (PAD, "pad_token_id"),
    (BOS, "bos_token_id"),
    (EOS, "eos_token_id"),
)  # value → the names under which configurations keep it
TINY = {name: value for value, names in _SIZES for name in names.split()}
# what some types need beside: their parts are not sizes, or depend on each other
_ATTENDING = ["linear_attention", "full_attention", "linear_attention"]
_SLIDING = ["sliding_attention", "full_attention", "sliding_attention"]
_MLA = {"num_key_value_heads": N_HEADS}
_MAMBA = {"mamba_d_head": 16, "mamba_n_heads": N_HEADS}
_DECODER = {"is_decoder": True}
_ROBERTA = _DECODER | {"pad_token_id": 0, "max_position_embeddings": CONTEXT + 1}  # counts positions from it on
_ROPE = {"rope_type": "default", "rope_theta": 1e4}
_SWA = {
    "num_attention_heads": N_HEADS,
    "num_key_value_heads": N_HEADS,
    "q_lora_rank": 16,
    "kv_lora_rank": 16,
    "head_dim": 12,
    "qk_nope_head_dim": 8,
    "v_head_dim": 8,
}
_DOTS = _MLA | {"head_dim": 12} | {f"swa_{name}": value for name, value in _SWA.items()}
_GEMMA4 = {"vocab_size_per_layer_input": SIZE, "global_head_dim": D_HEAD}
_ASSISTANT = {
    "vocab_size_per_layer_input": 0,
    "hidden_size_per_layer_input": 0,
    "global_head_dim": D_HEAD,
    "num_kv_shared_layers": N_LAYERS,
}
_INDEXER = {
    "indexer_n_heads": 32,
    "indexer_kv_heads": 1,
    "indexer_head_dim": D_HEAD,
    "indexer_budget": 128,
    "indexer_compress_ratio": 2,
}
_QWEN4 = {"hc_lowrank": 8, "layer_types": _ATTENDING} | _INDEXER
OWN: dict[str, dict[str, Any]] = {
    "axk1": _MLA,
    "axk2": _MLA,
    "bailing_hybrid": _MLA | {"layer_types": _ATTENDING, "rope_theta": 1e4},
    "bamba": _MAMBA | {"attn_layer_indices": [1]},
    "bert": _DECODER,
    "bert-generation": _DECODER,
    "big_bird": _DECODER | {"attention_type": "original_full"},
    "bigbird_pegasus": _DECODER | {"attention_type": "original_full"},
    "camembert": _ROBERTA,
    "codegen": {"rotary_dim": 4},
    "blt": {
        "encoder_hash_byte_group_vocab": 64,
        "encoder_config": {"hidden_size_global": D_MODEL},
        "decoder_config": {"hidden_size_global": D_MODEL},
    },
    "cohere_compass_text": {
        "rope_parameters": {"full_attention": _ROPE, "sliding_attention": _ROPE},
        "layer_types": _SLIDING,
    },
    "data2vec-text": _ROBERTA,
    "dbrx": {"attn_config": {"rope_theta": 1e4, "kv_n_heads": 2, "clip_qkv": 8}, "ffn_config": {"moe_top_k": 2}},
    "deepseek_v2": _MLA,
    "deepseek_v3": _MLA,
    "deepseek_v32": _MLA,
    "dots3_note": {
        "text_config": _DOTS,
        "vision_config": {
            "mlp_layer_types": ["dense"] * N_LAYERS,
            "per_layer_config": {},
            "adapter_in_dim": D_MODEL,
            "adapter_out_dim": D_MODEL,
        },
        "audio_config": {"adapter_input_size": D_MODEL, "adapter_out_dim": D_MODEL, "downsample_hidden_size": 4},
    },
    "dots3_note_text": _DOTS,
    "electra": _DECODER,
    "ernie": _DECODER,
    "falcon_h1": _MAMBA | {"mamba_d_ssm": 64},
    "gemma3": {"text_config": {"layer_types": _SLIDING}},
    "gemma3_text": {"layer_types": _SLIDING},
    "gemma3n_text": {"num_kv_shared_layers": 0, "layer_types": _SLIDING, "vocab_size_per_layer_input": SIZE},
    "gemma4": {"text_config": _GEMMA4, "vision_config": {"position_embedding_size": 64}},
    "gemma4_text": _GEMMA4,
    "gemma4_assistant": {"text_config": _ASSISTANT},
    "gemma4_unified": {
        "text_config": {"global_head_dim": D_HEAD},
        "vision_config": {"patch_size": 2, "mm_embed_dim": D_MODEL, "mm_posemb_size": 16},
    },
    "gemma4_unified_assistant": {"text_config": {"global_head_dim": D_HEAD, "num_kv_shared_layers": N_LAYERS}},
    "gemma4_unified_text": {"global_head_dim": D_HEAD},
    "glm4_moe_lite": _MLA,
    "glm_moe_dsa": _MLA,
    "gpt_neo": {"attention_types": [[["global", "local"], 1], [["global"], 1]]},
    "gptj": {"rotary_dim": 4},
    "granitemoehybrid": _MAMBA | {"layer_types": _ATTENDING},
    "jamba": {"attn_layer_period": 3, "attn_layer_offset": 1},
    "kimi_linear": _MLA | {"layer_types": _ATTENDING},
    "lfm2": {"layer_types": ["conv", "full_attention", "conv"]},
    "lfm2_moe": {"layer_types": ["conv", "full_attention", "conv"]},
    "longcat_flash": _MLA | {"head_dim": 4, "num_layers": 2, "zero_expert_num": 1},
    "mamba2": {"head_dim": 16},
    "megatron-bert": _DECODER,
    "minicpm3": _MLA,
    "prophetnet": {"pad_token_id": 0},
    "qwen3_5": {"text_config": {"layer_types": _ATTENDING}},
    "qwen3_5_moe": {"text_config": {"layer_types": _ATTENDING}},
    "qwen3_5_moe_text": {"layer_types": _ATTENDING},
    "qwen3_5_text": {"layer_types": _ATTENDING},
    "qwen3_next": {"layer_types": _ATTENDING},
    "qwen4_exp": {"text_config": _QWEN4},
    "qwen4_exp_text": _QWEN4,
    "reformer": _DECODER
    | {
        "attn_layers": ["local", "lsh", "local"],
        "axial_pos_shape": (16, 16),
        "axial_pos_embds_dim": (16, 16),
        "hash_seed": 0,
        "local_attn_chunk_length": 8,
        "lsh_attn_chunk_length": 8,
    },
    "rembert": _DECODER,
    "roberta": _ROBERTA,
    "roberta-prelayernorm": _ROBERTA,
    "roc_bert": _DECODER
    | {
        "pad_token_id": 0,
        "pronunciation_embed_dim": 8,
        "pronunciation_vocab_size": 16,
        "shape_embed_dim": 8,
        "shape_vocab_size": 16,
    },
    "roformer": _DECODER,
    "xglm": {"pad_token_id": 0},
    "xlm-roberta": _ROBERTA,
    "xlm-roberta-xl": _ROBERTA,
    "xmod": _ROBERTA | {"default_language": "en_XX"},
    "youtu": _MLA,
    "zamba": {
        "attention_hidden_size": 64,
        "attention_head_dim": 16,
        "num_hidden_layers": 4,
        "layers_block_type": ["linear_attention", "hybrid"] * 2,
    },
    "zamba2": {"num_hidden_layers": 4, "layers_block_type": ["linear_attention", "hybrid"] * 2},
    "zaya": {"num_experts_per_tok": 1},
}
PARTS = {"musicgen": "decoder", "musicgen_melody": "decoder"}  # types whose class is made from a part of their own
_DRAFTS = "it drafts for a larger model, from that model's keys and values, and reads no text by itself"
NOT_BUILT = {
    "gemma3n": "its pictures are read by a network of the package timm; without them it is gemma3n_text",
    "gemma4_assistant": _DRAFTS,
    "gemma4_unified_assistant": _DRAFTS,
}  # why transformers makes no tiny one of these, where it does not
