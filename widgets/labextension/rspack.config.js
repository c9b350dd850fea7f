// Added to the configuration of @jupyter/builder: TypeScript is read as it is, and nothing in the output tells where it was built.
module.exports = {
	module: {
		rules: [
			{
				test: /\.ts$/,
				loader: "builtin:swc-loader",
				options: { jsc: { parser: { syntax: "typescript" }, target: "es2022" } },
			},
		],
	},
	optimization: { moduleIds: "natural", chunkIds: "natural" },
	resolve: { extensions: [".ts", ".js"] },
};
